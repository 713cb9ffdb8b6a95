/* SPDX-License-Identifier: MIT */
/* Makes packets of what capture files hold. pcapng is read by blocks.c: libpcap tells no names of
 * interfaces, and refuses files whose interfaces are not all of one link type. */
#include "host/port/capfile.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/packet/parse.h"
#include "host/port/blocks.h"
#include "host/port/linktype.h"

struct capfile {
	FILE *stream;
	pcap_t *pcap; /* NULL: pcapng */
	struct blocks blocks;
	struct capfile_interface only; /* that of pcap */
	uint64_t skipped;
	bool is_over; /* its end was told, or why there is none */
	bool is_held; /* opening has read on to the first packet */
	enum capfile_status held;
	struct blocks_packet raw;
	char name[256];
};

static int pcap_start(struct capfile *file, struct refusal *why)
{
	char error[PCAP_ERRBUF_SIZE];

	file->pcap = pcap_fopen_offline_with_tstamp_precision(
		file->stream, PCAP_TSTAMP_PRECISION_NANO, error);
	if (!file->pcap)
		return refuse(
			why, EINVAL, "%s: %s (give a pcap or pcapng file)", file->name, error);
	file->stream = NULL; /* libpcap's now */
	file->only.linktype = (unsigned)pcap_datalink(file->pcap);
	file->only.first = linktype_first(file->only.linktype);
	return 0;
}

/* Reads on to the first packet, so that the interfaces are known. */
static int blocks_start(struct capfile *file, struct refusal *why)
{
	blocks_init(&file->blocks, file->stream, file->name);
	file->held = blocks_next(&file->blocks, &file->raw, why);
	file->is_held = true;
	return file->held == CAPFILE_BROKEN ? -why->code : 0;
}

static int readable_check(const struct capfile *file, struct refusal *why)
{
	unsigned count = capfile_interface_count(file);

	for (unsigned i = 0; i < count; i++) {
		if (capfile_interface(file, i)->first != LAYER_none)
			return 0;
	}
	if (!count)
		return 0;
	unsigned type = capfile_interface(file, 0)->linktype;
	const char *name = pcap_datalink_val_to_name((int)type);

	return refuse(why, EPROTONOSUPPORT,
		"%s: its packets are of link type %u%s%s%s (Ethernet, raw IP, Linux cooked and BSD "
		"loopback can be read)",
		file->name, type, name ? ", " : "", name ? name : "", name ? "," : "");
}

int capfile_open_stream(struct capfile **out, FILE *stream, const char *name, struct refusal *why)
{
	struct capfile *file = calloc(1, sizeof(*file));
	struct refusal unheard;
	int error;

	why = why ? why : &unheard;
	if (!file) {
		fclose(stream);
		return refuse(why, ENOMEM, "%s: out of memory", name);
	}
	file->stream = stream;
	snprintf(file->name, sizeof(file->name), "%s", name);
	int byte = getc(stream);

	if (byte == EOF && ferror(stream)) {
		error = refuse(why, errno, "%s: cannot read: %s (give a pcap or pcapng file)", name,
			strerror(errno));
		goto fail;
	}
	if (byte == EOF) {
		error = refuse(why, EINVAL, "%s: is empty (give a pcap or pcapng file)", name);
		goto fail;
	}
	ungetc(byte, stream);
	/* No magic number of pcap starts with a section's first byte. */
	error = byte == (PCAPNG_SECTION & 0xff) ? blocks_start(file, why) : pcap_start(file, why);
	if (!error)
		error = readable_check(file, why);
	if (error)
		goto fail;
	*out = file;
	return 0;

fail:
	capfile_close(file);
	return error;
}

int capfile_open(struct capfile **out, const char *path, struct refusal *why)
{
	bool is_stdin = !strcmp(path, "-");
	FILE *stream = is_stdin ? fdopen(dup(STDIN_FILENO), "rb") : fopen(path, "rbe");
	int error = errno;

	if (!stream)
		return refuse(why, error, "%s: cannot open: %s (give a pcap or pcapng file)", path,
			strerror(error));
	return capfile_open_stream(out, stream, is_stdin ? "standard input" : path, why);
}

/* The next record as it stands in the file. */
static enum capfile_status record_next(struct capfile *file, struct refusal *why)
{
	struct blocks_packet *raw = &file->raw;
	struct pcap_pkthdr *head;
	const u_char *bytes;

	if (file->is_held) {
		file->is_held = false;
		return file->held;
	}
	if (!file->pcap)
		return blocks_next(&file->blocks, raw, why);
	int got = pcap_next_ex(file->pcap, &head, &bytes);

	if (got == PCAP_ERROR_BREAK)
		return CAPFILE_END;
	if (got != 1) {
		refuse(why, EINVAL, "%s: %s (the file is damaged, or was cut)", file->name,
			pcap_geterr(file->pcap));
		return CAPFILE_BROKEN;
	}
	raw->len = head->caplen < sizeof(raw->bytes) ? head->caplen : sizeof(raw->bytes);
	memcpy(raw->bytes, bytes, raw->len);
	raw->original = head->len < head->caplen ? head->caplen : head->len;
	/* libpcap gives nanoseconds where the name says microseconds, and both fields' 32 bits
	 * with a sign. */
	int64_t time = (int64_t)(uint32_t)head->ts.tv_sec * NS_PER_S + head->ts.tv_usec;

	raw->time_ns = time < 0 ? 0 : time;
	return CAPFILE_PACKET;
}

/* The packet of the record in hand; NULL: no memory. */
static struct packet *packet_make(const struct blocks_packet *raw, const struct linktype_view *view)
{
	size_t len = raw->len - view->skip;
	size_t room = PACKET_BYTES_MAX - (view->is_made ? sizeof(view->eth) : 0);
	struct packet *p =
		packet_from_bytes(raw->bytes + view->skip, len < room ? len : room, view->first);

	if (!p)
		return NULL;
	if (view->is_made && packet_push(p, sizeof(view->eth)))
		memcpy(p->data, view->eth, sizeof(view->eth));
	parse(p);
	return p;
}

enum capfile_status capfile_next(struct capfile *file, struct captured *out, struct refusal *why)
{
	const struct blocks_packet *raw = &file->raw;
	struct linktype_view view;
	struct refusal unheard;
	enum capfile_status status;

	why = why ? why : &unheard;
	if (file->is_over)
		return CAPFILE_END;
	while ((status = record_next(file, why)) == CAPFILE_PACKET) {
		const struct capfile_interface *from = capfile_interface(file, raw->interface);

		if (linktype_view(from->linktype, raw->bytes, raw->len, &view))
			break;
		file->skipped++;
	}
	file->is_over = status != CAPFILE_PACKET;
	if (file->is_over)
		return status;
	struct packet *p = packet_make(raw, &view);

	if (!p) {
		refuse(why, ENOMEM, "%s: out of memory", file->name);
		return CAPFILE_BROKEN;
	}
	uint64_t wire = (uint64_t)raw->original - view.skip + (view.is_made ? sizeof(view.eth) : 0);

	wire = wire < UINT32_MAX ? wire : UINT32_MAX;
	*out = (struct captured){
		.packet = p,
		.time_ns = raw->time_ns,
		.interface = raw->interface,
		.cut = (uint32_t)(wire - packet_length(p)),
		.dir = raw->dir ? raw->dir : view.dir,
		.comment = raw->comment,
	};
	return CAPFILE_PACKET;
}

unsigned capfile_interface_count(const struct capfile *file)
{
	return file->pcap ? 1 : file->blocks.interface_count;
}

const struct capfile_interface *capfile_interface(const struct capfile *file, unsigned index)
{
	assert(index < capfile_interface_count(file));
	return file->pcap ? &file->only : &file->blocks.interfaces[index].shown;
}

uint64_t capfile_skipped(const struct capfile *file)
{
	return file->skipped;
}

void capfile_close(struct capfile *file)
{
	if (file->pcap)
		pcap_close(file->pcap);
	if (file->stream)
		fclose(file->stream);
	blocks_fini(&file->blocks);
	free(file);
}
