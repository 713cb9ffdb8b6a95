/* SPDX-License-Identifier: MIT */
/* Puts the program on a link that hands its frames to an AF_XDP socket. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/port/xdp.h"

enum { QUEUES = 64 };

/* A link that has the program. It goes with the descriptor: also when we are killed. */
struct attached {
	struct attached *next;
	ino_t netns;
	int ifindex, link_fd, map_fd;
};

static struct attached *all;

static ino_t netns_here(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) ? 0 : st.st_ino;
}

/* return bpf_redirect_map(map, ctx->rx_queue_index, XDP_PASS): where no socket is bound, the frame
 * goes its usual way. */
static int program_load(int map_fd)
{
	const struct bpf_insn program[] = {
		{ BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1,
			offsetof(struct xdp_md, rx_queue_index), 0 },
		{ BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map_fd },
		{ 0, 0, 0, 0, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, XDP_PASS },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "moontap", "GPL", program,
		sizeof(program) / sizeof(program[0]), NULL);
}

static int attach(struct attached *out)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);

	out->map_fd = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "moontap", 4, 4, QUEUES, NULL);
	if (out->map_fd < 0)
		return out->map_fd;
	int program = program_load(out->map_fd);

	out->link_fd =
		program < 0 ? program : bpf_link_create(program, out->ifindex, BPF_XDP, &options);
	if (program >= 0)
		close(program);
	if (out->link_fd >= 0)
		return 0;
	close(out->map_fd);
	return out->link_fd;
}

/* The link's program, which is put there if it is not yet; NULL with *error. */
static const struct attached *attached(int ifindex, int *error)
{
	ino_t netns = netns_here();

	for (const struct attached *at = all; at; at = at->next) {
		if (at->ifindex == ifindex && at->netns == netns)
			return at;
	}
	struct attached *new = calloc(1, sizeof(*new));

	*error = -ENOMEM;
	if (!new)
		return NULL;
	*new = (struct attached){ .next = all, .netns = netns, .ifindex = ifindex };
	*error = attach(new);
	if (*error) {
		free(new);
		return NULL;
	}
	all = new;
	return new;
}

/* A socket has the frames of one queue. 1: also where the link does not say. */
static unsigned receive_queues(int fd, int ifindex)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq ifr = { .ifr_ifindex = ifindex };

	if (ioctl(fd, SIOCGIFNAME, &ifr))
		return 1;
	ifr.ifr_data = (void *)&channels;
	if (ioctl(fd, SIOCETHTOOL, &ifr))
		return 1;
	return channels.rx_count + channels.combined_count;
}

int xdp_open(int ifindex, const char *name, struct refusal *why)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	int error = fd < 0 ? -errno : 0;

	if (!error && receive_queues(fd, ifindex) > 1) {
		close(fd);
		return refuse(why, EOPNOTSUPP,
			"%s: no AF_XDP: it has several receive queues (ethtool -L %s rx 1)", name,
			name);
	}
	const struct attached *to = error ? NULL : attached(ifindex, &error);
	const uint32_t queue = 0;

	if (to && bpf_map_update_elem(to->map_fd, &queue, &fd, BPF_ANY))
		error = -errno;
	if (!error)
		return fd;
	if (fd >= 0)
		close(fd);
	return refuse(why, -error, "%s: no AF_XDP: %s", name, strerror(-error));
}
