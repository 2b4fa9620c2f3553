/*
 * Why something failed: a sentence for a person, a kind for the program.
 *
 * A fallible function returns 0 or -1 and takes 'struct err *err' last. On success *err
 * is untouched; on failure it is filled once. The sentence names the thing, the place and
 * the remedy. Callers put context in front with err_wrap(), so the text reads outermost
 * first: "arm 'vm': upload tare-gemm: sftp: no space left on device". 'err' may be NULL
 * where a caller does not care.
 *
 * The kind decides the exit status (DESIGN contract): see err_exit_status().
 */
#ifndef TARE_CORE_BASE_ERR_H
#define TARE_CORE_BASE_ERR_H

enum err_kind {
	ERR_NONE = 0,
	ERR_USAGE,       /* the command line, a plan or an input file is wrong: 2 */
	ERR_INVALID,     /* the measurement cannot be used: 4 */
	ERR_ENVIRONMENT, /* machine, network, driver, disk or permission failed: 5 */
	ERR_INTERNAL,    /* a bug in tare: 6 */
	ERR_INTERRUPTED  /* SIGINT or SIGTERM: 130 */
};

/* Every exit status that a tare program uses. */
enum exit_status {
	EXIT_PASS = 0,
	EXIT_DEGRADED = 1,
	EXIT_USAGE = 2,
	EXIT_INCONCLUSIVE = 3,
	EXIT_INVALID = 4,
	EXIT_ENVIRONMENT = 5,
	EXIT_BUG = 6,
	EXIT_INTERRUPTED = 130
};

#define ERR_TEXT_MAX 1024

struct err {
	enum err_kind kind;
	const char *origin; /* static: "errno", "curl", "ssh", "cublas", "opennebula"; or
			       NULL */
	long code;          /* the origin's own number */
	char text[ERR_TEXT_MAX];
};

#define ERR_INIT                 \
	{                        \
		.kind = ERR_NONE \
	}

#if defined(__GNUC__)
#define ERR_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define ERR_PRINTF(f, a)
#endif

/* All return -1, so that a failing path is one statement. A text that does not fit is
 * cut. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...) ERR_PRINTF(3, 4);
int err_set_code(struct err *err, enum err_kind kind, const char *origin, long code,
		 const char *fmt, ...) ERR_PRINTF(5, 6);
/* ERR_ENVIRONMENT with errno's own words behind ": ". Reads errno first. */
int err_errno(struct err *err, const char *fmt, ...) ERR_PRINTF(2, 3);
/* Puts "context: " in front of what is there; the kind stays. */
int err_wrap(struct err *err, const char *fmt, ...) ERR_PRINTF(2, 3);

void err_clear(struct err *err);

/* The exit status that belongs to the kind; EXIT_PASS for ERR_NONE. */
int err_exit_status(const struct err *err);

#endif
