/*
 * computecore.dll (with -DCORE) and vmcompute.dll as libraries of Linux, for the P/Invoke declarations of the PowerShell
 * module: .NET passes the same UTF-16 strings, handles and HRESULTs here as on Windows. They hold callers to the
 * documented arguments, answer with the documented documents, and write every call, one a line, into
 * $STAND_IN_FOLDER/calls.log. What has ended is kept there too. $STAND_IN_MODE: denied, garbage, empty.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uchar.h>
#include <unistd.h>

typedef int32_t HRESULT;
#define NOT_FOUND ((HRESULT)0xC037010E)
#define PENDING ((HRESULT)0xC0370103)
#define INVALID_JSON ((HRESULT)0xC037010D)
#define DENIED ((HRESULT)0x80070005)
#define E_HANDLE ((HRESULT)0x80070006)
#define E_INVALIDARG ((HRESULT)0x80070057)
#define GENERIC_ALL 0x10000000u

typedef struct {
  const char *id, *name, *owner, *state;
} System;
static const System SYSTEMS[] = {
    {"aa11000000000000000000000000000000000000000000000000000000000001", "", "docker", "Running"},
    /* Gr\u00fc\u00dfe and a character outside of the first plane: escapes of JSON, decoded by the reader. */
    {"bb22000000000000000000000000000000000000000000000000000000000002", "Gr\\u00fc\\u00dfe\\ud83d\\ude00",
     "containerd-shim-runhcs-v1.exe", "Running"},
    {"bb33", "stubborn", "Contoso.Inbox", "Running"},
    {"cc44", "slow", "docker", "Running"},
    {"dd55", "refusing", "VMMS", "Running"},
    {"ee66", "finished", "docker", "Stopped"},
};
#define COUNT (sizeof SYSTEMS / sizeof SYSTEMS[0])

static void in_folder(char *path, const char *name) {
  const char *folder = getenv("STAND_IN_FOLDER");
  snprintf(path, 4096, "%s/%s", folder == NULL ? "/nonexistent" : folder, name);
}

static void record(const char *format, ...) {
  char path[4096];
  in_folder(path, "calls.log");
  FILE *file = fopen(path, "a");
  if (file == NULL) return;
  va_list values;
  va_start(values, format);
  vfprintf(file, format, values);
  va_end(values);
  fputc('\n', file);
  fclose(file);
}

static int is_mode(const char *wanted) {
  const char *mode = getenv("STAND_IN_MODE");
  return mode != NULL && strcmp(mode, wanted) == 0;
}

/* All that is asked is ASCII. */
static const char *text_of(const char16_t *wide, char *text, size_t size) {
  if (wide == NULL) return "NULL";
  size_t at = 0;
  for (; wide[at] != 0 && at + 1 < size; at++) text[at] = wide[at] < 128 ? (char)wide[at] : '?';
  text[at] = 0;
  return text;
}

/* The caller frees it. */
static char16_t *wide_of(const char *text) {
  size_t size = strlen(text) + 1;
  char16_t *wide = malloc(size * sizeof *wide);
  for (size_t at = 0; at < size; at++) wide[at] = (unsigned char)text[at];
  return wide;
}

static int64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void end_at(const System *system, int64_t when) {
  char path[4096], name[256];
  snprintf(name, sizeof name, "%s.ended", system->id);
  in_folder(path, name);
  FILE *file = fopen(path, "w");
  if (file == NULL) return;
  fprintf(file, "%lld", (long long)when);
  fclose(file);
}

static int has_ended(const System *system) {
  char path[4096], name[256];
  long long when = 0;
  snprintf(name, sizeof name, "%s.ended", system->id);
  in_folder(path, name);
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  int count = fscanf(file, "%lld", &when);
  fclose(file);
  return count == 1 && milliseconds() >= when;
}

static const System *find(const char16_t *wide) {
  char id[256];
  text_of(wide, id, sizeof id);
  for (size_t at = 0; at < COUNT; at++)
    if (strcmp(SYSTEMS[at].id, id) == 0 && !has_ended(&SYSTEMS[at])) return &SYSTEMS[at];
  return NULL;
}

static const System *as_system(void *handle) {
  for (size_t at = 0; at < COUNT; at++)
    if (handle == (void *)&SYSTEMS[at]) return &SYSTEMS[at];
  return NULL;
}

static HRESULT systems_document(const char16_t *query, char16_t **document) {
  static char json[8192];
  char asked[512];
  *document = NULL;
  if (is_mode("denied")) return DENIED;
  if (strcmp(text_of(query, asked, sizeof asked), "{\"Types\":[\"Container\"]}") != 0) return INVALID_JSON;
  if (is_mode("empty")) return 0;
  if (is_mode("garbage")) {
    *document = wide_of("{\"Id\":");
    return 0;
  }
  strcpy(json, "[");
  for (size_t at = 0; at < COUNT; at++) {
    const System *system = &SYSTEMS[at];
    if (has_ended(system)) continue;
    char one[1024], name[256] = "";
    if (*system->name) snprintf(name, sizeof name, "\"Name\":\"%s\",", system->name);
    snprintf(one, sizeof one,
             "%s{\"Id\":\"%s\",\"SystemType\":\"Container\",%s\"Owner\":\"%s\",\"RuntimeId\":"
             "\"00000000-0000-0000-0000-00000000000%zu\",\"RuntimeOsType\":\"Windows\",\"State\":\"%s\",\"Stopped\":%s}",
             strlen(json) > 1 ? "," : "", system->id, name, system->owner, at, system->state,
             strcmp(system->state, "Stopped") == 0 ? "true" : "false");
    strcat(json, one);
  }
  strcat(json, "]");
  *document = wide_of(json);
  return 0;
}

static HRESULT properties_document(const char16_t *query, char16_t **document) {
  char asked[512];
  *document = NULL;
  if (strcmp(text_of(query, asked, sizeof asked), "{\"PropertyTypes\":[\"Statistics\",\"ProcessList\"]}") != 0) return INVALID_JSON;
  *document = wide_of(
      "{\"Statistics\":{\"Timestamp\":\"2026-11-26T12:00:00Z\",\"ContainerStartTime\":\"2026-11-26T10:00:00.1234567Z\","
      "\"Uptime100ns\":72000000000,\"Memory\":{\"MemoryUsageCommitBytes\":104857600},"
      "\"Processor\":{\"TotalRuntime100ns\":25000000}},"
      "\"ProcessList\":[{\"ProcessId\":77,\"ImageName\":\"b.exe\",\"CreateTimestamp\":\"2026-11-26T10:00:05Z\"},"
      "{\"ProcessId\":42,\"ImageName\":\"a.exe\",\"CreateTimestamp\":\"2026-11-26T10:00:01Z\"}]}");
  return 0;
}

static HRESULT shut_down(const System *system) {
  if (strcmp(system->name, "refusing") == 0) return DENIED;
  if (strcmp(system->name, "stubborn") == 0) return PENDING;
  if (strcmp(system->name, "slow") == 0) {
    end_at(system, milliseconds() + 300);
    return PENDING;
  }
  end_at(system, 0);
  return 0;
}

static HRESULT terminate(const System *system) {
  if (strcmp(system->name, "refusing") == 0) return DENIED;
  end_at(system, 0);
  return 0;
}

#ifdef CORE
typedef struct {
  HRESULT result;
  char16_t *document;
} Operation;

void *HcsCreateOperation(void *context, void *callback) {
  record("HcsCreateOperation");
  return context == NULL && callback == NULL ? calloc(1, sizeof(Operation)) : NULL;
}

HRESULT HcsWaitForOperationResult(void *handle, uint32_t timeout, char16_t **document) {
  Operation *operation = handle;
  record("HcsWaitForOperationResult %u", timeout);
  *document = operation->document;
  return operation->result;
}

void HcsCloseOperation(void *handle) {
  record("HcsCloseOperation");
  free(handle);
}

HRESULT HcsEnumerateComputeSystems(const char16_t *query, void *handle) {
  Operation *operation = handle;
  record("HcsEnumerateComputeSystems");
  HRESULT result = systems_document(query, &operation->document);
  return result;
}

HRESULT HcsOpenComputeSystem(const char16_t *id, uint32_t access, void **handle) {
  char text[256];
  record("HcsOpenComputeSystem %s 0x%08x", text_of(id, text, sizeof text), access);
  const System *system = find(id);
  *handle = (void *)system;
  if (access != GENERIC_ALL) return E_INVALIDARG;
  return system == NULL ? NOT_FOUND : 0;
}

void HcsCloseComputeSystem(void *handle) { record("HcsCloseComputeSystem %s", as_system(handle)->id); }

HRESULT HcsGetComputeSystemProperties(void *handle, void *operation, const char16_t *query) {
  if (as_system(handle) == NULL || operation == NULL) return E_HANDLE;
  return properties_document(query, &((Operation *)operation)->document);
}

HRESULT HcsShutDownComputeSystem(void *handle, void *operation, const char16_t *options) {
  char text[256];
  record("HcsShutDownComputeSystem %s %s", as_system(handle)->id, text_of(options, text, sizeof text));
  ((Operation *)operation)->result = shut_down(as_system(handle));
  return 0;
}

HRESULT HcsTerminateComputeSystem(void *handle, void *operation, const char16_t *options) {
  char text[256];
  record("HcsTerminateComputeSystem %s %s", as_system(handle)->id, text_of(options, text, sizeof text));
  ((Operation *)operation)->result = terminate(as_system(handle));
  return 0;
}
#else
HRESULT HcsEnumerateComputeSystems(const char16_t *query, char16_t **systems, char16_t **failure) {
  record("HcsEnumerateComputeSystems");
  HRESULT result = systems_document(query, systems);
  *failure = result == 0 ? NULL : wide_of("{\"Error\":-2147024891}");
  return result;
}

HRESULT HcsOpenComputeSystem(const char16_t *id, void **handle, char16_t **failure) {
  char text[256];
  record("HcsOpenComputeSystem %s", text_of(id, text, sizeof text));
  const System *system = find(id);
  *handle = (void *)system;
  *failure = NULL;
  return system == NULL ? NOT_FOUND : 0;
}

HRESULT HcsCloseComputeSystem(void *handle) {
  record("HcsCloseComputeSystem %s", as_system(handle)->id);
  return 0;
}

HRESULT HcsGetComputeSystemProperties(void *handle, const char16_t *query, char16_t **properties, char16_t **failure) {
  *failure = NULL;
  if (as_system(handle) == NULL) return E_HANDLE;
  return properties_document(query, properties);
}

HRESULT HcsShutdownComputeSystem(void *handle, const char16_t *options, char16_t **failure) {
  char text[256];
  record("HcsShutdownComputeSystem %s %s", as_system(handle)->id, text_of(options, text, sizeof text));
  HRESULT result = shut_down(as_system(handle));
  *failure = result == DENIED ? wide_of("{\"Error\":-2147024891}") : NULL;
  return result;
}

HRESULT HcsTerminateComputeSystem(void *handle, const char16_t *options, char16_t **failure) {
  char text[256];
  record("HcsTerminateComputeSystem %s %s", as_system(handle)->id, text_of(options, text, sizeof text));
  *failure = NULL;
  return terminate(as_system(handle));
}
#endif
