/* SPDX-License-Identifier: MIT */
/* Arbitrary matches and tables of rules x hostile packets: what is compiled and indexed says what
 * a slow walk says. Input: a flag byte, the packet's length, the packet, the program. */
#include "tests/fuzz/any_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	size_t len = data[1] < size - 2 ? data[1] : size - 2;
	struct packet *p = fuzz_packet(data + 2, len, data[0]);
	struct any_source from = { data + 2 + len, data + size };

	any_match_agrees(&from, p);
	any_table_agrees(&from, p);
	packet_free(p);
	return 0;
}
