/* SPDX-License-Identifier: MIT */
/* Completes the name at the cursor by asking the script's host. */
#include "host/cli/complete.h"

#include <editline/readline.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/base/clock.h"
#include "host/base/text.h"
#include "host/engine/control.h"

/* A script that keeps its worker busy is not waited for: TAB then does nothing. */
enum { PATIENCE_MS = 500 };

static struct {
	int fd;
	unsigned asked; /* how often: a late answer is known by its number */
	const char *lines;
} console;

static char answer[CONTROL_TEXT + 2];

static bool ask(const char *typed, size_t len)
{
	static char message[CONTROL_TEXT];
	struct text out;

	text_init(&out, message, sizeof(message));
	text_add(&out, "%c%u\n%s%s%.*s", CONTROL_COMPLETE, ++console.asked,
		console.lines ? console.lines : "", console.lines ? "\n" : "", (int)len, typed);
	return !text_is_full(&out) &&
	       send(console.fd, message, out.len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static int64_t now_ms(void)
{
	static const struct clock real = { .is_virtual = false };

	return clock_now(&real).ns / NS_PER_MS;
}

/* The names, each after a newline; NULL: no answer in time. */
static char *names_receive(void)
{
	int64_t end = now_ms() + PATIENCE_MS;
	struct pollfd ready = { .fd = console.fd, .events = POLLIN };
	char number[16];
	int digits = snprintf(number, sizeof(number), "%u", console.asked);

	for (int64_t left = PATIENCE_MS; left > 0; left = end - now_ms()) {
		if (poll(&ready, 1, (int)left) <= 0)
			return NULL;
		ssize_t n = recv(console.fd, answer, CONTROL_TEXT + 1, MSG_DONTWAIT);

		if (n <= 0)
			return NULL;
		answer[n] = '\0';
		if (answer[0] == CONTROL_NAMES && !strncmp(answer + 1, number, (size_t)digits) &&
			(answer[1 + digits] == '\n' || !answer[1 + digits]))
			return answer + 1 + digits;
	}
	return NULL;
}

/* What the line editor wants: first what all begin with, then all; malloc'ed. It frees them. */
static char **matches_new(char *names)
{
	size_t count = 0, common;

	for (const char *at = names; *at; at++)
		count += *at == '\n';
	char **matches = calloc(count + 2, sizeof(*matches));

	if (!count || !matches) {
		free(matches);
		return NULL;
	}
	count = 0;
	for (char *name = strtok(names, "\n"); name; name = strtok(NULL, "\n")) {
		matches[count + 1] = strdup(name);
		if (!matches[count + 1])
			break; /* of fewer names one can choose too */
		count++;
	}
	common = count ? strlen(matches[1]) : 0;
	for (size_t i = 2; i <= count; i++) {
		size_t same = 0;

		while (same < common && matches[i][same] == matches[1][same])
			same++;
		common = same;
	}
	matches[0] = strndup(count ? matches[1] : "", common);
	return matches;
}

static char **attempt(const char *word, int start, int end)
{
	(void)word;
	(void)start;
	rl_attempted_completion_over = 1; /* or files would be looked for */
	char *names = ask(rl_line_buffer, (size_t)end) ? names_receive() : NULL;

	return names ? matches_new(names) : NULL;
}

void complete_open(int fd)
{
	static char breaks[] = " \t\n\"\\'`@$><=;|&{(.:,[])}#+-*/%^~!?";

	console.fd = fd;
	rl_attempted_completion_function = attempt;
	rl_basic_word_break_characters = breaks; /* libedit looks at this one */
	rl_completion_append_character = '\0';
}

void complete_after(const char *lines)
{
	console.lines = lines;
}
