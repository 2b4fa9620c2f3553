/* Which tare this is: version, commit and how it was compiled; strings are static. */
#ifndef TARE_CORE_DOCUMENT_VERSION_H
#define TARE_CORE_DOCUMENT_VERSION_H

struct json_object;

#define TARE_VERSION "0.1.0"

const char *version_commit(void); /* "d678234", "d678234-dirty" or "unknown" */
const char *version_build(void);  /* compiler, architecture, flags */
struct json_object *version_to_json(
	const char *program); /* {name, version, commit, build} */

#endif
