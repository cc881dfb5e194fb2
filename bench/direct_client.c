/*
 * The yardstick: sends the same rows straight into a bare table with a unique (org, mode, key).
 * Usage: direct_client URL CONNECTIONS BATCHES BATCH_SIZE FIRST_KEY CUSTOMERS
 * Each connection sends its share of the batches as one prepared INSERT over binary arrays, and
 * waits for each commit. Prints "rows seconds".
 */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { UUID_OID = 2950, TEXT_OID = 25, TIMESTAMPTZ_OID = 1184, JSONB_OID = 3802 };

static const char *url;
static int batches_each, batch_size, customers;
static long first_key;

typedef struct {
    char *bytes;
    size_t length, capacity;
} Array;

static void append(Array *array, const void *bytes, size_t length) {
    if (array->length + length > array->capacity) {
        array->capacity = (array->length + length) * 2;
        array->bytes = realloc(array->bytes, array->capacity);
    }
    memcpy(array->bytes + array->length, bytes, length);
    array->length += length;
}

static void append_int(Array *array, int32_t value) {
    int32_t wire = htonl(value);
    append(array, &wire, 4);
}

static void begin(Array *array, int oid) {
    array->length = 0;
    append_int(array, 1);
    append_int(array, 0);
    append_int(array, oid);
    append_int(array, batch_size);
    append_int(array, 1);
}

static void element(Array *array, const void *bytes, int length) {
    append_int(array, length);
    append(array, bytes, length);
}

static int64_t microseconds_since_2000(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return ((int64_t)now.tv_sec - 946684800) * 1000000 + now.tv_nsec / 1000;
}

static void fail(PGconn *connection) {
    fprintf(stderr, "%s\n", PQerrorMessage(connection));
    exit(1);
}

static void *work(void *argument) {
    int worker = (int)(intptr_t)argument;
    PGconn *connection = PQconnectdb(url);
    if (PQstatus(connection) != CONNECTION_OK) fail(connection);
    PGresult *result = PQprepare(
        connection, "ingest",
        "INSERT INTO bare_events (org_id, is_test, idempotency_key, customer_id, event_name,"
        " occurred_at, properties)"
        " SELECT '00000000-0000-7000-8000-000000000001', true, event.*"
        " FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[], $5::jsonb[]) AS event"
        " ON CONFLICT DO NOTHING",
        5, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(connection);
    PQclear(result);
    Array arrays[5] = {0};
    const int oids[5] = {TEXT_OID, UUID_OID, TEXT_OID, TIMESTAMPTZ_OID, JSONB_OID};
    for (int batch = 0; batch < batches_each; batch++) {
        for (int i = 0; i < 5; i++) begin(&arrays[i], oids[i]);
        int64_t now = microseconds_since_2000();
        for (int row = 0; row < batch_size; row++) {
            long number = first_key + ((long)worker * batches_each + batch) * batch_size + row;
            char key[64], properties[96], customer[16] = {0};
            int length = snprintf(key, sizeof key, "event-%012ld", number);
            element(&arrays[0], key, length);
            int32_t customer_number = htonl((int32_t)(number % customers));
            memcpy(customer + 12, &customer_number, 4);
            element(&arrays[1], customer, 16);
            element(&arrays[2], "api_call", 8);
            uint64_t at = now - (number % 3600) * 1000000;
            uint32_t wire[2] = {htonl((uint32_t)(at >> 32)), htonl((uint32_t)at)};
            element(&arrays[3], wire, 8);
            length = snprintf(properties, sizeof properties,
                              "\1{\"tokens\":%ld,\"region\":\"lagos\"}", number % 1000);
            element(&arrays[4], properties, length);
        }
        const char *values[5];
        int lengths[5], formats[5] = {1, 1, 1, 1, 1};
        for (int i = 0; i < 5; i++) {
            values[i] = arrays[i].bytes;
            lengths[i] = (int)arrays[i].length;
        }
        result = PQexecPrepared(connection, "ingest", 5, values, lengths, formats, 1);
        if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(connection);
        PQclear(result);
    }
    PQfinish(connection);
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 7) return 2;
    url = arguments[1];
    int connections = atoi(arguments[2]);
    batches_each = atoi(arguments[3]) / connections;
    batch_size = atoi(arguments[4]);
    first_key = atol(arguments[5]);
    customers = atoi(arguments[6]);
    pthread_t threads[64];
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (intptr_t i = 0; i < connections; i++) pthread_create(&threads[i], NULL, work, (void *)i);
    for (int i = 0; i < connections; i++) pthread_join(threads[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (end.tv_sec - start.tv_sec) + (end.tv_nsec - start.tv_nsec) / 1e9;
    printf("%ld %.6f\n", (long)batches_each * connections * batch_size, seconds);
    return 0;
}
