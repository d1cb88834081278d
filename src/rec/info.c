// SPDX-License-Identifier: Apache-2.0
// info.c - what is in a record, as JSON.
#include "base/json.h"
#include "qiao/rec.h"
#include "rec/mcap_read.h"

#include <stdlib.h>
#include <string.h>

static void put_pairs(qi_json *j, const char *key, const qi_mcap_pair *pair, int n) {
    qi_json_open(j, key, '{');
    for (int i = 0; i < n; i++) qi_json_str(j, pair[i].key, pair[i].value);
    qi_json_close(j, '}');
}

static void put_channels(qi_json *j, const qi_mcap *f) {
    qi_json_open(j, "channels", '[');
    for (int i = 0; i < f->nchannel; i++) {
        const qi_mcap_channel *c = &f->channel[i];
        qi_json_open(j, NULL, '{');
        qi_json_str(j, "topic", c->topic);
        qi_json_str(j, "type", qi_mcap_schema_name(f, c));
        qi_json_int(j, "messages", (long long)c->count);
        qi_json_close(j, '}');
    }
    qi_json_close(j, ']');
}

char *qiao_replay_info(const char *mcap, qiao_diag *d) {
    qi_mcap *f = qi_mcap_open(mcap, d);
    if (!f) return NULL;
    qi_json j = {0};
    qi_json_open(&j, NULL, '{');
    qi_json_str(&j, "file", mcap);
    qi_json_int(&j, "bytes", (long long)f->size);
    qi_json_bool(&j, "complete", f->complete);
    if (!f->complete) qi_json_str(&j, "note", f->note);
    qi_json_str(&j, "profile", f->profile);
    qi_json_str(&j, "library", f->library);
    qi_json_num(&j, "start_s", (double)f->t0_ns * 1e-9);
    qi_json_num(&j, "end_s", (double)f->t1_ns * 1e-9);
    qi_json_int(&j, "messages", (long long)f->nmessage);
    qi_json_int(&j, "chunks", (long long)f->nchunk);
    qi_json_int(&j, "bytes_unpacked", (long long)f->plain_bytes);
    qi_json_open(&j, "metadata", '{');
    for (int i = 0; i < f->nmeta; i++)
        put_pairs(&j, f->meta[i].name, f->meta[i].pair, f->meta[i].npair);
    qi_json_close(&j, '}');
    qi_json_open(&j, "attachments", '[');
    for (int i = 0; i < f->nattach; i++) {
        qi_json_open(&j, NULL, '{');
        qi_json_str(&j, "name", f->attach[i].name);
        qi_json_str(&j, "media_type", f->attach[i].media_type);
        qi_json_int(&j, "bytes", (long long)f->attach[i].bytes);
        qi_json_close(&j, '}');
    }
    qi_json_close(&j, ']');
    put_channels(&j, f);
    qi_json_close(&j, '}');
    char *text = qi_json_end(&j);
    if (!text) qiao_diag_set(d, QIAO_E_MEM, mcap, 0, 0, "out of memory");
    qi_mcap_close(f);
    return text;
}
