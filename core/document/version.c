#include "core/document/version.h"

#include "core/document/json.h"

/* Given by the Makefile to this file alone, so that a new commit recompiles one file. */
#ifndef TARE_COMMIT
#define TARE_COMMIT "unknown"
#endif
#ifndef TARE_BUILD
#define TARE_BUILD "unknown"
#endif

const char *version_commit(void)
{
	return TARE_COMMIT;
}

const char *version_build(void)
{
	return TARE_BUILD;
}

struct json_object *version_to_json(const char *program)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "name", program);
	json_put_text(o, "version", TARE_VERSION);
	json_put_text(o, "commit", version_commit());
	json_put_text(o, "build", version_build());
	return o;
}
