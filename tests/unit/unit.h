/* SPDX-License-Identifier: MIT */
/* What every unit test program does around its tests. */
#pragma once

#include <check.h>
#include <stdlib.h>

/* Runs the suite; fails also when no test ran. */
static inline int unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int ran = srunner_ntests_run(runner), failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return ran > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
