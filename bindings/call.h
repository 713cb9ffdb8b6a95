/* SPDX-License-Identifier: MIT */
/* A rule's function is called with a packet and gives its verdict. */
#pragma once

#include "bindings/state.h"

/* Calls the function `ref`; the packet is lent for the call. Errors are logged at most once a
 * second, with traceback, and give VERDICT_ERROR. */
enum verdict call_verdict(
	struct script *script, int ref, struct packet *p, struct verdict_ports *to);

/* Asks a match function: VERDICT_PASS yes, VERDICT_NONE no, VERDICT_ERROR. */
enum verdict call_match(struct script *script, int ref, struct packet *p);

/* The calls with packets that came together are over. */
void call_burst_over(struct script *script);
