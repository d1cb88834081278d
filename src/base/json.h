// SPDX-License-Identifier: Apache-2.0
// json.h - writes JSON into one growing text; commas and quotes are its business.
// After a failed allocation all calls do nothing and qi_json_end returns NULL.
#ifndef QI_JSON_H
#define QI_JSON_H

#include <stdbool.h>
#include <stddef.h>

typedef struct qi_json {
    char *text; // owned
    size_t n, cap;
    bool comma, failed;
} qi_json;

void qi_json_open(qi_json *j, const char *key, char bracket); // '{' or '['; key NULL: none
void qi_json_close(qi_json *j, char bracket);                 // '}' or ']'
void qi_json_str(qi_json *j, const char *key, const char *value);
void qi_json_num(qi_json *j, const char *key, double value); // 17 digits; not finite: null
void qi_json_int(qi_json *j, const char *key, long long value);
void qi_json_bool(qi_json *j, const char *key, bool value);
char *qi_json_end(qi_json *j); // the text, the caller's to free; NULL: out of memory

#endif
