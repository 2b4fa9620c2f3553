#include "inference/load/engine/chunk_json.h"

#include <string.h>

struct cursor {
	const char *p, *end;
	int depth;
	struct chunk_info *info;
};

typedef bool read_value(struct cursor *c);

struct member {
	const char *name;
	size_t len;
	read_value *read;
};

static void skip_space(struct cursor *c)
{
	while (c->p < c->end &&
	       (*c->p == ' ' || *c->p == '\n' || *c->p == '\t' || *c->p == '\r'))
		c->p++;
}

/* The next byte that is no space is 'want': steps over it. */
static bool take(struct cursor *c, char want)
{
	skip_space(c);
	if (c->p == c->end || *c->p != want)
		return false;
	c->p++;
	return true;
}

static bool is_hex(char x)
{
	return (x >= '0' && x <= '9') || (x >= 'a' && x <= 'f') || (x >= 'A' && x <= 'F');
}

/* Behind a backslash. */
static bool skip_escape(struct cursor *c)
{
	if (c->p == c->end || !*c->p)
		return false;
	if (*c->p != 'u')
		return strchr("\"\\/bfnrt", *c->p++) != NULL;
	if (c->end - c->p < 5)
		return false;
	for (int i = 1; i <= 4; i++)
		if (!is_hex(c->p[i]))
			return false;
	c->p += 5;
	return true;
}

static bool read_text(struct cursor *c, const char **text, size_t *len)
{
	if (!take(c, '"'))
		return false;
	*text = c->p;
	while (c->p < c->end) {
		unsigned char x = (unsigned char)*c->p++;

		if (x == '"') {
			*len = (size_t)(c->p - 1 - *text);
			return true;
		}
		if (x < 0x20 || (x == '\\' && !skip_escape(c)))
			return false;
	}
	return false;
}

static const char *skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* 'ret' gets the whole number; texts with a fraction, or too large, give 'absent'. */
static bool read_number(struct cursor *c, int64_t absent, int64_t *ret)
{
	const char *p, *digits;
	bool is_negative, is_whole = true;
	uint64_t n = 0;

	skip_space(c);
	p = c->p;
	is_negative = p < c->end && *p == '-';
	p += is_negative;
	digits = p;
	p = skip_digits(p, c->end);
	if (p == digits || (*digits == '0' && p - digits > 1))
		return false;
	for (const char *d = digits; d < p && p - digits <= 18 + 1; d++)
		n = n * 10 + (uint64_t)(*d - '0');
	is_whole = p - digits <= 18 || (p - digits == 19 && n <= INT64_MAX);
	if (p < c->end && *p == '.') {
		const char *fraction = ++p;

		p = skip_digits(p, c->end);
		is_whole = false;
		if (p == fraction)
			return false;
	}
	if (p < c->end && (*p == 'e' || *p == 'E')) {
		const char *exponent;

		p++;
		p += p < c->end && (*p == '+' || *p == '-');
		exponent = p;
		p = skip_digits(p, c->end);
		is_whole = false;
		if (p == exponent)
			return false;
	}
	c->p = p;
	*ret = is_whole ? (is_negative ? -(int64_t)n : (int64_t)n) : absent;
	return true;
}

static bool read_word(struct cursor *c, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(c->end - c->p) < len || memcmp(c->p, word, len) != 0)
		return false;
	c->p += len;
	return true;
}

static bool skip_value(struct cursor *c);

/* Members that the table names go to their readers, the others are skipped. */
static bool read_object(struct cursor *c, const struct member *table)
{
	if (!take(c, '{') || ++c->depth > CHUNK_DEPTH_MAX)
		return false;
	if (take(c, '}'))
		return c->depth--, true;
	do {
		const struct member *m = table;
		const char *key;
		size_t len;

		if (!read_text(c, &key, &len) || !take(c, ':'))
			return false;
		while (m && m->name && (m->len != len || memcmp(m->name, key, len)))
			m++;
		if (!(m && m->name ? m->read(c) : skip_value(c)))
			return false;
	} while (take(c, ','));
	c->depth--;
	return take(c, '}');
}

/* 'item' reads each element; 'ret' counts them. */
static bool read_array(struct cursor *c, read_value *item, int32_t *ret)
{
	*ret = 0;
	if (!take(c, '[') || ++c->depth > CHUNK_DEPTH_MAX)
		return false;
	if (take(c, ']'))
		return c->depth--, true;
	do {
		if (!item(c))
			return false;
		++*ret;
	} while (take(c, ','));
	c->depth--;
	return take(c, ']');
}

static bool skip_value(struct cursor *c)
{
	const char *text;
	size_t len;
	int64_t number;
	int32_t nr;

	skip_space(c);
	if (c->p == c->end)
		return false;
	switch (*c->p) {
	case '{':
		return read_object(c, NULL);
	case '[':
		return read_array(c, skip_value, &nr);
	case '"':
		return read_text(c, &text, &len);
	case 't':
		return read_word(c, "true");
	case 'f':
		return read_word(c, "false");
	case 'n':
		return read_word(c, "null");
	default:
		return read_number(c, 0, &number);
	}
}

static char next(struct cursor *c)
{
	skip_space(c);
	return c->p < c->end ? *c->p : '\0';
}

/* True when it is a text with something in it; any other value is skipped. */
static bool read_if_text(struct cursor *c, bool *ret)
{
	const char *text;
	size_t len;

	if (next(c) != '"')
		return skip_value(c);
	if (!read_text(c, &text, &len))
		return false;
	*ret = *ret || len > 0;
	return true;
}

static bool read_content(struct cursor *c)
{
	return read_if_text(c, &c->info->has_content);
}

static bool read_finish(struct cursor *c)
{
	return read_if_text(c, &c->info->has_finish);
}

static bool read_role(struct cursor *c)
{
	return read_if_text(c, &c->info->has_role);
}

static bool read_tool_calls(struct cursor *c)
{
	int32_t nr;

	if (next(c) != '[')
		return skip_value(c);
	if (!read_array(c, skip_value, &nr))
		return false;
	c->info->has_content = c->info->has_content || nr > 0;
	return true;
}

static bool read_token_ids(struct cursor *c)
{
	int32_t nr;

	if (next(c) != '[')
		return skip_value(c);
	if (!read_array(c, skip_value, &nr))
		return false;
	c->info->token_ids = (c->info->token_ids < 0 ? 0 : c->info->token_ids) + nr;
	return true;
}

static const struct member delta_members[] = {
	{"content", 7, read_content},
	{"role", 4, read_role},
	{"reasoning_content", 17, read_content},
	{"reasoning", 9, read_content},
	{"tool_calls", 10, read_tool_calls},
	{0},
};

static bool read_delta(struct cursor *c)
{
	return next(c) == '{' ? read_object(c, delta_members) : skip_value(c);
}

static const struct member choice_members[] = {
	{"text", 4, read_content},          {"delta", 5, read_delta},
	{"finish_reason", 13, read_finish}, {"token_ids", 9, read_token_ids},
	{"message", 7, read_delta},         {0},
};

static bool read_choice(struct cursor *c)
{
	return next(c) == '{' ? read_object(c, choice_members) : skip_value(c);
}

static bool read_choices(struct cursor *c)
{
	int32_t nr;

	if (next(c) != '[')
		return skip_value(c);
	if (!read_array(c, read_choice, &nr))
		return false;
	c->info->has_choice = nr > 0;
	return true;
}

static bool read_count(struct cursor *c, int32_t *ret)
{
	char first = next(c);
	int64_t n;

	if (first != '-' && (first < '0' || first > '9'))
		return skip_value(c);
	if (!read_number(c, -1, &n))
		return false;
	*ret = n < 0 || n > INT32_MAX ? -1 : (int32_t)n;
	return true;
}

static bool read_prompt_tokens(struct cursor *c)
{
	return read_count(c, &c->info->prompt_tokens);
}

static bool read_completion_tokens(struct cursor *c)
{
	return read_count(c, &c->info->completion_tokens);
}

static bool read_cached_tokens(struct cursor *c)
{
	return read_count(c, &c->info->cached_tokens);
}

static const struct member details_members[] = {
	{"cached_tokens", 13, read_cached_tokens},
	{0},
};

static bool read_details(struct cursor *c)
{
	return next(c) == '{' ? read_object(c, details_members) : skip_value(c);
}

static const struct member usage_members[] = {
	{"prompt_tokens", 13, read_prompt_tokens},
	{"completion_tokens", 17, read_completion_tokens},
	{"prompt_tokens_details", 21, read_details},
	{0},
};

static bool read_usage(struct cursor *c)
{
	if (next(c) != '{')
		return skip_value(c);
	c->info->has_usage = true;
	return read_object(c, usage_members);
}

static bool read_sent_ns(struct cursor *c)
{
	char first = next(c);

	if (first < '0' || first > '9')
		return skip_value(c);
	return read_number(c, 0, &c->info->sent_ns);
}

static const struct member tare_members[] = {
	{"sent_ns", 7, read_sent_ns},
	{0},
};

static bool read_tare(struct cursor *c)
{
	return next(c) == '{' ? read_object(c, tare_members) : skip_value(c);
}

static bool read_id(struct cursor *c)
{
	if (next(c) != '"')
		return skip_value(c);
	return read_text(c, &c->info->id, &c->info->id_len);
}

static bool read_message(struct cursor *c)
{
	if (next(c) != '"')
		return skip_value(c);
	return read_text(c, &c->info->error, &c->info->error_len);
}

static const struct member error_members[] = {
	{"message", 7, read_message},
	{0},
};

static bool read_error(struct cursor *c)
{
	char first = next(c);

	c->info->has_error = first != 'n';
	if (first == '"')
		return read_message(c);
	return first == '{' ? read_object(c, error_members) : skip_value(c);
}

static const struct member top_members[] = {
	{"id", 2, read_id},     {"choices", 7, read_choices}, {"usage", 5, read_usage},
	{"tare", 4, read_tare}, {"error", 5, read_error},     {0},
};

bool chunk_scan(const char *text, size_t len, struct chunk_info *ret)
{
	struct cursor c = {.p = text, .end = text + len, .info = ret};

	*ret = (struct chunk_info){
		.token_ids = -1,
		.prompt_tokens = -1,
		.completion_tokens = -1,
		.cached_tokens = -1,
	};
	if (!read_object(&c, top_members))
		return false;
	skip_space(&c);
	return c.p == c.end;
}
