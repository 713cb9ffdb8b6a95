/* SPDX-License-Identifier: MIT */
/* Sends a script's changes of the network to where they can be made. */
#include "host/engine/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"
#include "host/engine/explain.h"
#include "host/engine/record.h"
#include "host/engine/settings.h"
#include "host/netlink/netns.h"
#include "host/port/socket.h"

struct place {
	struct netlink netlink;
	struct place *next;
};

struct world {
	struct keeper *keeper;	  /* NULL in a recorded world */
	struct record *record;	  /* NULL in the real one */
	struct settings settings; /* of the recorded one */
	struct place *places;	  /* the namespaces that were used */
	bool is_told, is_kept;
	void (*told)(void *arg, const char *line); /* of the recorded one */
	void *told_arg;
};

struct world *world_new(struct keeper *keeper, bool is_told)
{
	struct world *world = calloc(1, sizeof(*world));

	if (world)
		*world = (struct world){ .keeper = keeper, .is_told = is_told };
	return world;
}

struct world *world_new_recorded(void (*told)(void *arg, const char *line), void *arg)
{
	struct world *world = world_new(NULL, told != NULL);

	if (!world)
		return NULL;
	world->told = told;
	world->told_arg = arg;
	world->record = record_new();
	if (!world->record) {
		free(world);
		return NULL;
	}
	return world;
}

bool world_is_recorded(const struct world *world)
{
	return world->record != NULL;
}

bool world_event_next(struct world *world, const char **netns, int *ifindex, bool *is_gone)
{
	return record_event_next(world->record, netns, ifindex, is_gone);
}

int world_link(struct world *world, const char *netns, const char *name, const char *kind,
	struct refusal *why)
{
	int ifindex = record_link(world->record, netns, name, kind);

	return ifindex < 0 ? refuse(why, -ifindex, "%s: out of memory", name) : 0;
}

void world_link_del(struct world *world, const char *netns, int ifindex)
{
	record_link_del(world->record, netns, ifindex);
}

static void place_free(struct place *place)
{
	netlink_close(&place->netlink);
	free(place);
}

void world_free(struct world *world)
{
	while (world->places) {
		struct place *place = world->places;

		world->places = place->next;
		place_free(place);
	}
	settings_fini(&world->settings);
	if (world->record)
		record_free(world->record);
	free(world);
}

void world_keep(struct world *world, bool is_kept)
{
	world->is_kept = is_kept;
}

static void tell(struct world *world, const char *line)
{
	if (!world->is_told)
		return;
	if (!world->record) {
		log_line(LOG_LEVEL_INFO, "%s", line);
		return;
	}
	world->told(world->told_arg, line);
}

static int carry_change(void *arg, const struct netlink_change *change, char *says, size_t room)
{
	struct world *world = arg;
	struct request request = { .verb = REQUEST_CHANGE, .is_kept = world->is_kept };
	size_t undo_len = change->undo ? change->undo->nlmsg_len : 0;
	struct reply reply;
	bool is_told = world->is_told && change->request->nlmsg_type != NLMSG_NOOP;
	char line[512];

	request.len = change->request->nlmsg_len;
	if (request.len + undo_len > sizeof(request.payload))
		return -E2BIG;
	snprintf(request.netns, sizeof(request.netns), "%s", change->netns);
	if (change->to_netns) {
		request.is_move = true;
		snprintf(request.to_netns, sizeof(request.to_netns), "%s", change->to_netns);
	}
	memcpy(request.payload, change->request, request.len);
	if (undo_len) {
		request.undo_at = request.len;
		memcpy(request.payload + request.len, change->undo, undo_len);
		request.len += undo_len;
	}
	if (is_told) {
		struct netlink *netlink = world_netlink(world, change->netns, NULL);

		explain_change(netlink, change, line, sizeof(line));
	}
	keeper_call(world->keeper, &request, &reply);
	snprintf(says, room, "%s", reply.error ? reply.text : "");
	if (!reply.error && is_told)
		tell(world, line);
	return reply.error;
}

static int record_carry(void *arg, const struct netlink_change *change, char *says, size_t room)
{
	struct world *world = arg;
	char line[512] = "";

	(void)room;
	says[0] = '\0';
	explain_change(world_netlink(world, change->netns, NULL), change, line, sizeof(line));
	int error = record_change(world->record, change);

	if (!error && change->request->nlmsg_type != NLMSG_NOOP)
		tell(world, line);
	return error;
}

static int record_carry_dump(
	void *arg, const char *netns, struct nlmsghdr *request, mnl_cb_t each, void *each_arg)
{
	return record_dump(((struct world *)arg)->record, netns, request, each, each_arg);
}

static const struct netlink_carrier carrier = { .change = carry_change };
static const struct netlink_carrier record_carrier = { .change = record_carry,
	.dump = record_carry_dump };

static int place_socket(
	struct world *world, const char *netns, struct netlink *out, struct refusal *why)
{
	if (world->record)
		return 0;
	if (!netns[0])
		return netlink_open(out, why);
	int fd = world_open(world, netns, REQUEST_OPEN_NETLINK, "", 0, why);

	return fd < 0 ? fd : netlink_from_fd(out, fd, why);
}

static bool netns_is_there(const struct world *world, const char *netns)
{
	if (world->record)
		return record_netns_has(world->record, netns);
	return !netns[0] || netns_inode(netns);
}

struct netlink *world_netlink(struct world *world, const char *netns, struct refusal *why)
{
	struct place *place = world->places;

	while (place && strcmp(place->netlink.netns, netns))
		place = place->next;
	if (place)
		return &place->netlink;
	if (!netns_is_there(world, netns) && world_netns_add(world, netns, why))
		return NULL;
	place = calloc(1, sizeof(*place));
	if (!place || place_socket(world, netns, &place->netlink, why)) {
		if (!place)
			refuse(why, ENOMEM, "netlink: out of memory");
		free(place);
		return NULL;
	}
	snprintf(place->netlink.netns, sizeof(place->netlink.netns), "%s", netns);
	place->netlink.carrier = world->record ? &record_carrier : &carrier;
	place->netlink.carrier_arg = world;
	place->next = world->places;
	world->places = place;
	return &place->netlink;
}

static int netns_record(struct world *world, const char *name, bool is_add, struct refusal *why)
{
	int error = is_add ? record_netns_add(world->record, name)
			   : record_netns_del(world->record, name);

	return error ? refuse(why, -error, "netns %s: %s", name,
			       is_add ? "exists already" : "no such namespace")
		     : 0;
}

static int netns_request(struct world *world, const char *name, bool is_add, struct refusal *why)
{
	struct request request = { .verb = REQUEST_NETNS, .number = is_add };
	struct reply reply;
	char line[96];

	snprintf(request.netns, sizeof(request.netns), "%s", name);
	int error = world->record ? netns_record(world, name, is_add, why)
				  : keeper_ask(world->keeper, &request, &reply, why);

	snprintf(line, sizeof(line), "ip netns %s %s", is_add ? "add" : "del", name);
	if (!error)
		tell(world, line);
	return error;
}

int world_netns_add(struct world *world, const char *name, struct refusal *why)
{
	return netns_request(world, name, true, why);
}

int world_netns_del(struct world *world, const char *name, struct refusal *why)
{
	for (struct place **at = &world->places; *at; at = &(*at)->next) {
		struct place *place = *at;

		if (strcmp(place->netlink.netns, name))
			continue;
		*at = place->next;
		place_free(place);
		break;
	}
	return netns_request(world, name, false, why);
}

int world_sysctl(struct world *world, const char *netns, const char *path, const char *value,
	char *old, struct refusal *why)
{
	struct request request = { .verb = REQUEST_SYSCTL };
	struct reply reply;
	char line[512];

	if (world->record && !value) {
		settings_get(&world->settings, netns, path, old);
		return 0;
	}
	if (!netns[0] && !value)
		return sysctl_get(path, old, why);
	if (value && (!*value || strlen(value) >= SYSCTL_VALUE))
		return refuse(why, EINVAL, "sysctl %s: its value has 1 to %d bytes", path,
			SYSCTL_VALUE - 1);
	snprintf(request.netns, sizeof(request.netns), "%s", netns);
	strcpy(request.payload, path);
	strcpy(request.payload + strlen(path) + 1, value ? value : "");
	request.len = strlen(path) + strlen(value ? value : "") + 2;
	int error = world->record ? settings_set(&world->settings, netns, path, value)
				  : keeper_ask(world->keeper, &request, &reply, why);

	if (error)
		return error;
	if (old && !world->record)
		memcpy(old, reply.value, SYSCTL_VALUE);
	explain_sysctl(netns, path, value ? value : "", line, sizeof(line));
	if (value)
		tell(world, line);
	return 0;
}

void world_checksums(struct world *world, const char *netns, const struct link *link)
{
	struct request request = { .verb = REQUEST_OFFLOAD, .number = link->ifindex };
	struct reply reply;

	snprintf(request.netns, sizeof(request.netns), "%s", netns);
	keeper_call(world->keeper, &request, &reply);
	if (reply.error)
		log_line(LOG_LEVEL_WARN,
			"%s: its other end leaves checksums to the device, and over xdp nobody "
			"does them: %s (there: ethtool -K LINK tx off)",
			link->name, strerror(-reply.error));
	else if (reply.value[0])
		tell(world, reply.value);
}

int world_open_queue(struct world *world, const char *netns, enum request_open kind,
	const char *name, int number, int group, struct refusal *why)
{
	struct request request = {
		.verb = REQUEST_OPEN, .number = kind, .number2 = number, .group = group
	};
	struct reply reply;

	if (world->record)
		return refuse(why, EOPNOTSUPP, "%s: not in a recorded network", name);
	snprintf(request.netns, sizeof(request.netns), "%s", netns);
	snprintf(request.payload, sizeof(request.payload), "%s", name);
	request.len = strlen(name) + 1;
	int error = keeper_ask(world->keeper, &request, &reply, why);

	return error ? error : reply.fd;
}

int world_open(struct world *world, const char *netns, enum request_open kind, const char *name,
	int ifindex, struct refusal *why)
{
	return world_open_queue(world, netns, kind, name, ifindex, SOCKET_ALONE, why);
}

static int mark_request(struct world *world, int mark)
{
	struct request request = { .verb = REQUEST_UNDO, .number = mark };
	struct reply reply;

	if (world->record)
		return 0; /* what is refused halfway stays recorded: the script fails anyway */
	keeper_call(world->keeper, &request, &reply);
	return reply.number;
}

int world_mark(struct world *world)
{
	return mark_request(world, -1);
}

void world_undo(struct world *world, int mark)
{
	mark_request(world, mark);
}

void world_tell(struct world *world, const char *line)
{
	tell(world, line);
}
