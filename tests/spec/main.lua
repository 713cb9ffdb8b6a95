-- Runs busted, Debian's, inside moontap: require "moontap" is the real thing there.
require "busted.runner" { standalone = false, output = "TAP" }
