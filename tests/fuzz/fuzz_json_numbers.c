/* Lists of numbers past json-c: accepted and understood exactly as json-c alone would. */
#include "core/document/json_numbers.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static double number_at(struct json_object *list, size_t i)
{
	return json_object_get_double(json_object_array_get_idx(list, i));
}

static void compare(struct json_object *fast, struct json_object *slow)
{
	size_t nr = 0;
	const double *numbers = json_numbers(fast, &nr);

	if (json_object_get_type(fast) != json_object_get_type(slow))
		abort();
	if (json_object_is_type(slow, json_type_object)) {
		if (json_object_object_length(fast) != json_object_object_length(slow))
			abort();
		json_object_object_foreach(slow, key, value)
			compare(json_member(fast, key), value);
	} else if (!json_object_is_type(slow, json_type_array)) {
		if (strcmp(json_line(fast), json_line(slow)) != 0)
			abort();
	} else if (numbers) {
		if (nr != json_object_array_length(slow))
			abort();
		for (size_t i = 0; i < nr; i++)
			if (numbers[i] != number_at(slow, i))
				abort();
	} else {
		if (json_object_array_length(fast) != json_object_array_length(slow))
			abort();
		for (size_t i = 0; i < json_object_array_length(slow); i++)
			compare(json_object_array_get_idx(fast, i),
				json_object_array_get_idx(slow, i));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err a = ERR_INIT, b = ERR_INIT;
	char *text = malloc(size + 1);
	struct json_object *fast, *slow;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	fast = json_parse_numbers(text, size, "fuzz", &a);
	slow = json_parse(text, size, "fuzz", &b);
	if (!fast != !slow || strcmp(a.text, b.text) != 0)
		abort();
	if (fast)
		compare(fast, slow);
	json_object_put(fast);
	json_object_put(slow);
	free(text);
	return 0;
}
