// SPDX-License-Identifier: Apache-2.0
// folder.h - folders of a test's own, gone when the test program ends, whatever its tests found.
#ifndef FOLDER_H
#define FOLDER_H

#include "test.h"

#include <unistd.h>

enum { FOLDERS = 64, FOLDER_PATH = 48 };
static char folder_list[FOLDERS][FOLDER_PATH];
static int folder_count;

__attribute__((destructor)) static void folder_tidy(void) {
    char cmd[FOLDER_PATH + 16];
    while (folder_count > 0) {
        snprintf(cmd, sizeof cmd, "rm -rf '%s'", folder_list[--folder_count]);
        if (system(cmd)) printf("left %s behind\n", folder_list[folder_count]);
    }
}

// A new, empty one, "/tmp/qiao-NAME-......"; its path stays until the program ends.
static const char *folder_new(const char *name) {
    CHECK(folder_count < FOLDERS, "more than %d folders", FOLDERS);
    char *path = folder_list[folder_count];
    snprintf(path, FOLDER_PATH, "/tmp/qiao-%s-XXXXXX", name);
    CHECK(mkdtemp(path), "no folder");
    folder_count++;
    return path;
}

#endif
