#include "stand-in.h"
#include <objbase.h>

typedef struct {
  DWORD flavour;
  PCWSTR_ home;
} DriverInfo;
typedef struct {
  GUID id;
  DWORD flags;
  PCWSTR_ path;
} LayerDescriptor;

static wchar_t *copy_text(const wchar_t *text) {
  size_t size = (wcslen(text) + 1) * sizeof(wchar_t);
  return memcpy(CoTaskMemAlloc(size), text, size);
}

/* FNV-1a in each word: any derivation does, so long as it depends on the name alone. */
EXPORT HRESULT NameToGuid(PCWSTR_ name, GUID *guid) {
  DWORD words[4];
  for (int word = 0; word < 4; word++) {
    words[word] = 2166136261u + (DWORD)word;
    for (PCWSTR_ at = name; *at; at++) words[word] = (words[word] ^ *at) * 16777619u;
  }
  memcpy(guid, words, sizeof *guid);
  wchar_t text[40];
  StringFromGUID2(guid, text, 40);
  record(L"NameToGuid %ls %ls", name, text);
  return S_OK;
}

static HRESULT check_driver(const DriverInfo *driver) {
  return driver != NULL && driver->flavour == 1 && driver->home != NULL && *driver->home == 0 ? S_OK : E_INVALIDARG;
}

static void record_parents(const LayerDescriptor *parents, DWORD count) {
  wchar_t text[40];
  for (DWORD at = 0; at < count; at++) {
    StringFromGUID2(&parents[at].id, text, 40);
    record(L"  parent %ls %lu %ls", text, parents[at].flags, parents[at].path);
  }
}

EXPORT HRESULT ExportLayer(DriverInfo *driver, PCWSTR_ id, PCWSTR_ folder, LayerDescriptor *parents, DWORD count) {
  record(L"ExportLayer %ls | %ls | %lu", id, folder, count);
  record_parents(parents, count);
  HRESULT result = check_driver(driver);
  return FAILED(result) ? result : export_layer(id, folder);
}

EXPORT HRESULT ImportLayer(DriverInfo *driver, PCWSTR_ id, PCWSTR_ folder, LayerDescriptor *parents, DWORD count) {
  record(L"ImportLayer %ls | %ls | %lu", id, folder, count);
  record_parents(parents, count);
  HRESULT result = check_driver(driver);
  return FAILED(result) ? result : import_layer(id, folder);
}

EXPORT HRESULT DestroyLayer(DriverInfo *driver, PCWSTR_ id) {
  record(L"DestroyLayer %ls", id);
  HRESULT result = check_driver(driver);
  return FAILED(result) ? result : destroy_tree(id);
}

EXPORT HRESULT ProcessBaseImage(PCWSTR_ path) {
  record(L"ProcessBaseImage %ls", path);
  return is_folder(path) ? S_OK : HRESULT_FROM_WIN32(ERROR_PATH_NOT_FOUND);
}

EXPORT HRESULT ProcessUtilityImage(PCWSTR_ path) {
  record(L"ProcessUtilityImage %ls", path);
  return is_folder(path) ? S_OK : HRESULT_FROM_WIN32(ERROR_PATH_NOT_FOUND);
}

EXPORT HRESULT HcsEnumerateComputeSystems(PCWSTR_ query, wchar_t **systems, wchar_t **failure) {
  record(L"2016 HcsEnumerateComputeSystems %ls", or_null(query));
  *systems = *failure = NULL;
  if (is_mode(L"denied")) {
    *failure = copy_text(L"{\"Error\":-2147024891,\"ErrorMessage\":\"Access is denied.\"}");
    return DENIED;
  }
  HRESULT result = check_query(query, LIST_QUERY);
  if (SUCCEEDED(result)) *systems = copy_text(systems_json());
  return result;
}

EXPORT HRESULT HcsOpenComputeSystem(PCWSTR_ id, void **system, wchar_t **failure) {
  const System *found = find_system(id);
  *failure = NULL;
  *system = NULL;
  if (found == NULL || wcscmp(id, L"vanishing") == 0) return HCS_NOT_FOUND;
  *system = (void *)found;
  return S_OK;
}

EXPORT HRESULT HcsCloseComputeSystem(void *system) {
  record(L"2016 HcsCloseComputeSystem %ls", ((const System *)system)->id);
  return S_OK;
}

EXPORT HRESULT HcsGetComputeSystemProperties(void *system, PCWSTR_ query, wchar_t **properties, wchar_t **failure) {
  *failure = NULL;
  *properties = system == NULL ? NULL : copy_text(properties_json());
  return check_query(query, NUMBERS_QUERY);
}

EXPORT HRESULT HcsShutdownComputeSystem(void *system, PCWSTR_ options, wchar_t **failure) {
  record(L"2016 HcsShutdownComputeSystem %ls %ls", ((const System *)system)->id, or_null(options));
  *failure = NULL;
  return shut_down(system);
}

EXPORT HRESULT HcsTerminateComputeSystem(void *system, PCWSTR_ options, wchar_t **failure) {
  record(L"2016 HcsTerminateComputeSystem %ls %ls", ((const System *)system)->id, or_null(options));
  *failure = NULL;
  return terminate(system);
}
