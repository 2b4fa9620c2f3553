#include "inference/load/server_discovery.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/document/json.h"
#include "core/base/mem.h"

/* Short, common, plain ASCII: one token each, with a space before, in most vocabularies. */
static const char *const words[] = {
	"time",    "year",   "people",  "way",     "day",     "man",      "thing",
	"woman",   "life",   "child",   "world",   "school",  "state",    "family",
	"student", "group",  "country", "problem", "hand",    "part",     "place",
	"case",    "week",   "company", "system",  "program", "question", "work",
	"number",  "night",  "point",   "home",    "water",   "room",     "mother",
	"area",    "money",  "story",   "fact",    "month",   "lot",      "right",
	"study",   "book",   "eye",     "job",     "word",    "business", "issue",
	"side",    "kind",   "head",    "house",   "service", "friend",   "father",
	"power",   "hour",   "game",    "line",    "end",     "member",   "law",
	"car",     "city",   "name",    "team",    "minute",  "idea",     "body",
	"back",    "parent", "face",    "level",   "office",  "door",     "health",
	"person",  "art",    "war",     "history", "party",   "result",   "change",
	"morning", "reason", "girl",    "moment",  "air",     "teacher",  "force",
	"foot",    "boy",    "age",     "policy",  "music",   "market",   "sense",
	"table",   "plan",   "paper",   "field",   "light",   "voice",    "road",
	"form",    "effect", "cost",    "land",    "report",  "rate",     "price",
	"north",   "south",  "street",  "river",   "color",   "space",    "ground",
	"heart",   "piece",  "window",  "town",    "test",    "model",    "source",
	"class",   "sound",
};

enum { COPIES = 8 };

/* The number of tokens of a chat of one message; -1 when the server cannot say. */
static int64_t count_chat(const struct transport *t, const char *model, const char *text)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	struct json_object *message = json_object_new_object(), *reply = NULL;
	struct fetch f = {.method = "POST",
			  .path = "/tokenize",
			  .timeout_ns = 10 * NS_PER_S,
			  .max = 4 << 20};
	struct buf bytes;
	int status;
	int64_t count;

	json_put_text(message, "role", "user");
	json_put_text(message, "content", text);
	json_object_array_add(list, message);
	json_put_text(o, "model", model);
	json_put(o, "messages", list);
	json_put_bool(o, "add_generation_prompt", true);
	f.body = json_line(o);
	f.body_len = strlen(f.body);
	if (!transport_fetch(t, &f, &bytes, &status, NULL) && status == 200)
		reply = json_parse(bytes.data, bytes.len, "/tokenize", NULL);
	count = json_get_int(reply, "count", -1);
	json_object_put(reply);
	json_object_put(o);
	buf_release(&bytes);
	return count;
}

static char *repeat(const char *a, const char *b, int times)
{
	struct buf text;
	char *copy;

	buf_init(&text, BUF_UNBOUNDED);
	for (int i = 0; i < times; i++)
		buf_printf(&text, "%s%s%s%s", i ? " " : "", a, b ? " " : "", b ? b : "");
	copy = buf_detach(&text);
	return copy;
}

/* A word counts when each further copy of it, between others, is one more token. */
static bool is_one_token(const struct transport *t, const char *model, const char *word,
			 const char *beside, int64_t overhead)
{
	char *text = repeat(word, beside, COPIES);
	int64_t n = count_chat(t, model, text);

	free(text);
	return n == overhead + 2 * COPIES;
}

int probe_words(const struct transport *t, const char *model, struct prompt *p,
		struct server_facts *facts, struct err *err)
{
	const char *good[ARRAY_SIZE(words)];
	int64_t one = count_chat(t, model, words[0]), more, overhead;
	char *text = repeat(words[0], NULL, COPIES + 1);
	size_t nr = 0;

	more = one < 0 ? -1 : count_chat(t, model, text);
	free(text);
	facts->counts_words = one > 0 && more == one + COPIES;
	overhead = one - 1;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!facts->counts_words ||
		    is_one_token(t, model, words[i], words[0], overhead))
			good[nr++] = words[i];
	if (facts->counts_words && nr < 16)
		return err_set(
			err, ERR_ENVIRONMENT,
			"%s/tokenize: only %zu of the known words are one token in "
			"this model: measure with --endpoint completions",
			t->url, nr);
	prompt_use_words(p, good, nr, facts->counts_words ? (int32_t)overhead : 0);
	return 0;
}
