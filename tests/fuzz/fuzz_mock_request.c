/* Bodies of requests and fault specifications, as any client may send them. */
#include "inference/mock/mock_fault.h"
#include "inference/mock/mock_request.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mock_request r = {0};
	struct mock_fault fault;
	struct err err = ERR_INIT;
	char *text;

	if (!size)
		return 0;
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] % 5 == 4)
		mock_fault_parse(text, &fault, &err);
	else
		mock_request_parse(text, size - 1, (enum mock_endpoint)(data[0] % 5), &r,
				   &err);
	tokens_release(&r.tokens);
	free(text);
	return 0;
}
