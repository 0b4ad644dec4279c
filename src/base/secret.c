/* SPDX-License-Identifier: Apache-2.0 */
/* Which names hold secrets: librdkafka's (sasl.password, sasl.jaas.config, ssl.key.pem,
 * ssl.keystore.password, sasl.oauthbearer.client.secret), brokers', and what people call theirs. */
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool secret_name(const char *name)
{
    static const char *const words[] = {
        "password", "passwd",  "passphrase", "secret", "token",       "credential", "jaas",
        "key.pem",  "key_pem", "api_key",    "apikey", "private_key", "private.key"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasestr(name, words[i])) {
            return true;
        }
    }
    return false;
}

const char *secret_shown(const char *name, const char *value)
{
    return value && secret_name(name) ? "(redacted)" : value;
}

char *secret_argument(const char *text)
{
    const char *eq = strrchr(text, '=');
    for (const char *p = strchr(text, '='); p; p = strchr(p + 1, '=')) {
        char *name = xmemdup0(text, (size_t)(p - text));
        if (secret_name(name)) {
            char *out = xasprintf("%s=(redacted)", name);
            free(name);
            return out;
        }
        free(name);
        if (p == eq) {
            break;
        }
    }
    return xstrdup(text);
}
