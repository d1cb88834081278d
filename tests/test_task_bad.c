// SPDX-License-Identifier: Apache-2.0
// Malformed scenarios: each file of tests/data/scenarios names its own fault in its first line,
// "# expect LINE:COL: text" (or a text alone), and has to be refused with it.
#include "qiao/task.h"
#include "test.h"

#include <dirent.h>

static void check_file(const char *path, const qiao_robot *robot) {
    char *text = NULL, want[400] = "";
    size_t n = 0;
    qiao_diag d = {0};
    CHECK(qiao_file_read(path, 1 << 20, &text, &n, &d) == QIAO_OK, "%s", d.text);
    CHECK(sscanf(text, "# expect %399[^\n]", want) == 1, "%s has no expectation", path);
    free(text);
    qiao_scenario *s = qiao_scenario_load(path, &d);
    qiao_case *c = s ? qiao_case_new(s, robot, 1, 0, &d) : NULL;
    bool refused = !c;
    qiao_case_free(c), qiao_scenario_free(s);
    CHECK(refused, "%s was accepted", path);
    char full[800];
    bool place = want[0] >= '0' && want[0] <= '9';
    snprintf(full, sizeof full, place ? "%s:%s" : "%.0s%s", path, want);
    CHECK(strstr(d.text, full) != NULL, "%s\n  got    \"%s\"\n  wanted \"%s\"", path, d.text, full);
    CHECK(d.err != QIAO_OK, "%s: text without a code", path);
}

TEST(malformed) {
    qiao_diag d = {0};
    qiao_robot *robot = qiao_robot_load("go2", &d);
    CHECK(robot != NULL, "%s", d.text);
    DIR *dir = opendir("tests/data/scenarios");
    CHECK(dir != NULL, "no folder tests/data/scenarios");
    static int n;
    n = 0;
    for (const struct dirent *e; (e = readdir(dir));) {
        size_t k = strlen(e->d_name);
        if (k < 5 || strcmp(e->d_name + k - 4, ".osc") != 0) continue;
        char path[400];
        snprintf(path, sizeof path, "tests/data/scenarios/%s", e->d_name);
        check_file(path, robot);
        n++;
    }
    closedir(dir);
    qiao_robot_free(robot);
    CHECK(n >= 50, "only %d malformed files were seen", n);
}

TEST(unknown_name) {
    qiao_diag d = {0};
    CHECK(!qiao_scenario_load("parcel_rout", &d), "a wrong name was accepted");
    CHECK_TEXT(d.text, "did you mean 'parcel_route'?");
    qiao_diag e = {0};
    CHECK(!qiao_scenario_load("no/such/file.osc", &e), "a missing file was accepted");
    CHECK_TEXT(e.text, "no/such/file.osc");
}
