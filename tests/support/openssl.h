/*
 * The openssl command, a judge of keys and certificates in PEM files that
 * shares no code with us. What it finds wrong fails the test.
 */
#ifndef SUPPORT_OPENSSL_H
#define SUPPORT_OPENSSL_H

/* Runs it; it must succeed. Its stdout is the caller's to free. */
char *openssl_run(const char *const words[]);
#define OPENSSL(...) openssl_run((const char *const[]){ __VA_ARGS__, NULL })

/* Writes the certificates that GetCACert has at this URL to a file. */
void openssl_get_ca_certs(const char *url, const char *file);
/*
 * The certificate is for this key, has this subject ("CN=device-1"), and
 * verifies for clients through so many CAs up to a root of the file `cas`.
 */
void openssl_judge(const char *cert, const char *key, const char *subject,
    const char *cas, int tiers);

#define OPENSSL_SERIAL_SIZE 64
/* In hexadecimal digits, capital ones. */
void openssl_serial(const char *cert, char out[OPENSSL_SERIAL_SIZE]);

#endif
