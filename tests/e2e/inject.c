/* SPDX-License-Identifier: MIT */
/* Sends frames into a link from the kernel's side, and prints what each of them was answered.
 *
 *   inject LINK LAST LAST_ANSWER < FRAMES
 *
 * All in hexadecimal, a frame a line. After each frame LAST is sent, a request that is surely
 * answered: what comes before LAST_ANSWER was the answer to the frame. So nothing depends on time.
 * Prints a line for each frame: the answers with spaces between them, or "-". */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAME_MAX = 65536, TAG_BYTES = 4, TAG_AT = 12, PATIENCE_MS = 10000 };

struct frame {
	size_t len;
	uint8_t bytes[FRAME_MAX];
};

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("inject: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static void frame_read(struct frame *frame, const char *hex)
{
	unsigned byte;

	for (frame->len = 0; frame->len < FRAME_MAX && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		frame->bytes[frame->len++] = (uint8_t)byte;
	if (!frame->len)
		fail("no frame: \"%.20s\"", hex);
}

static void frame_print(const struct frame *frame)
{
	for (size_t i = 0; i < frame->len; i++)
		printf("%02x", frame->bytes[i]);
}

static bool frame_equal(const struct frame *a, const struct frame *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

static int link_open(const char *link)
{
	struct sockaddr_ll where = { .sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(link) };
	int one = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) ||
		bind(fd, (struct sockaddr *)&where, sizeof(where)))
		fail("%s: %s", link, strerror(errno));
	return fd;
}

static void frame_send(int fd, const struct frame *frame)
{
	if (send(fd, frame->bytes, frame->len, 0) < 0)
		fail("cannot send %zu bytes: %s", frame->len, strerror(errno));
}

/* The kernel takes the outermost tag out of the frame: back it goes. */
static void tag_restore(struct frame *frame, struct msghdr *msg)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	struct tpacket_auxdata aux;

	if (!cmsg || cmsg->cmsg_level != SOL_PACKET || cmsg->cmsg_type != PACKET_AUXDATA)
		return;
	memcpy(&aux, CMSG_DATA(cmsg), sizeof(aux));
	if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
		return;
	uint16_t tag[] = { htons(aux.tp_vlan_tpid), htons(aux.tp_vlan_tci) };

	memmove(frame->bytes + TAG_AT + TAG_BYTES, frame->bytes + TAG_AT, frame->len - TAG_AT);
	memcpy(frame->bytes + TAG_AT, tag, TAG_BYTES);
	frame->len += TAG_BYTES;
}

/* The next frame that came from the far side; what the kernel sends itself is none. */
static void frame_receive(int fd, struct frame *frame)
{
	struct sockaddr_ll from;
	union {
		struct cmsghdr header;
		uint8_t room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;

	do {
		struct pollfd wait = { fd, POLLIN, 0 };
		struct iovec part = { frame->bytes, FRAME_MAX - TAG_BYTES };
		struct msghdr msg = { .msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control) };

		if (poll(&wait, 1, PATIENCE_MS) != 1)
			fail("the last frame got no answer");
		ssize_t n = recvmsg(fd, &msg, 0);

		if (n < TAG_AT)
			fail("cannot receive: %s", n < 0 ? strerror(errno) : "a short frame");
		frame->len = (size_t)n;
		tag_restore(frame, &msg);
	} while (from.sll_pkttype == PACKET_OUTGOING);
}

static void answers_print(int fd, const struct frame *last_answer)
{
	static struct frame answer;
	const char *between = "";

	for (;;) {
		frame_receive(fd, &answer);
		if (frame_equal(&answer, last_answer))
			break;
		fputs(between, stdout);
		frame_print(&answer);
		between = " ";
	}
	puts(*between ? "" : "-");
}

int main(int argc, char **argv)
{
	static struct frame frame, last, last_answer;
	char *line = NULL;
	size_t room = 0;

	if (argc != 4)
		fail("usage: inject LINK LAST LAST_ANSWER < FRAMES");
	int fd = link_open(argv[1]);

	frame_read(&last, argv[2]);
	frame_read(&last_answer, argv[3]);
	while (getline(&line, &room, stdin) > 0) {
		frame_read(&frame, line);
		frame_send(fd, &frame);
		frame_send(fd, &last);
		answers_print(fd, &last_answer);
	}
	free(line);
	close(fd);
	return 0;
}
