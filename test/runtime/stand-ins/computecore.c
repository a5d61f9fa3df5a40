#include "stand-in.h"

/* An operation holds what the call it was given to will answer. */
typedef struct {
  DWORD magic;
  HRESULT result;
  const wchar_t *document;
} Operation;
#define OPERATION_MAGIC 0x0be7a710
static Operation *as_operation(void *handle) {
  Operation *operation = handle;
  return operation != NULL && operation->magic == OPERATION_MAGIC ? operation : NULL;
}

/* A handle is the address of the system's row. */
static const System *as_system(void *handle) {
  for (int at = 0; at < SYSTEM_COUNT; at++)
    if (handle == (void *)&SYSTEMS[at]) return &SYSTEMS[at];
  return NULL;
}

EXPORT void *HcsCreateOperation(void *context, void *callback) {
  if (context != NULL || callback != NULL) return NULL;
  Operation *operation = calloc(1, sizeof *operation);
  operation->magic = OPERATION_MAGIC;
  record(L"HcsCreateOperation");
  return operation;
}

EXPORT HRESULT HcsWaitForOperationResult(void *handle, DWORD timeout, wchar_t **document) {
  Operation *operation = as_operation(handle);
  if (operation == NULL || document == NULL) return E_HANDLE;
  if (is_mode(L"hang")) {
    Sleep(timeout);
    return HCS_TIMEOUT;
  }
  *document = NULL;
  if (operation->document != NULL) {
    size_t size = (wcslen(operation->document) + 1) * sizeof(wchar_t);
    *document = LocalAlloc(LMEM_FIXED, size);
    memcpy(*document, operation->document, size);
  }
  return operation->result;
}

EXPORT void HcsCloseOperation(void *handle) {
  Operation *operation = as_operation(handle);
  record(operation == NULL ? L"HcsCloseOperation of nothing" : L"HcsCloseOperation");
  if (operation == NULL) return;
  operation->magic = 0;
  free(operation);
}

EXPORT HRESULT HcsEnumerateComputeSystems(PCWSTR_ query, void *handle) {
  Operation *operation = as_operation(handle);
  record(L"HcsEnumerateComputeSystems %ls", or_null(query));
  if (operation == NULL) return E_HANDLE;
  if (is_mode(L"denied")) return DENIED;
  operation->document = systems_json();
  return check_query(query, LIST_QUERY);
}

EXPORT HRESULT HcsOpenComputeSystem(PCWSTR_ id, DWORD access, void **system) {
  record(L"HcsOpenComputeSystem %ls 0x%08lx", id, access);
  const System *found = find_system(id);
  *system = NULL;
  if (access != GENERIC_ALL) return E_INVALIDARG;
  if (found == NULL || wcscmp(id, L"vanishing") == 0) return HCS_NOT_FOUND;
  *system = (void *)found;
  return S_OK;
}

EXPORT void HcsCloseComputeSystem(void *handle) {
  const System *system = as_system(handle);
  record(L"HcsCloseComputeSystem %ls", system == NULL ? L"of nothing" : system->id);
}

EXPORT HRESULT HcsGetComputeSystemProperties(void *handle, void *operation_handle, PCWSTR_ query) {
  const System *system = as_system(handle);
  Operation *operation = as_operation(operation_handle);
  if (system == NULL || operation == NULL) return E_HANDLE;
  operation->document = properties_json();
  return check_query(query, NUMBERS_QUERY);
}

EXPORT HRESULT HcsShutDownComputeSystem(void *handle, void *operation_handle, PCWSTR_ options) {
  const System *system = as_system(handle);
  Operation *operation = as_operation(operation_handle);
  if (system == NULL || operation == NULL) return E_HANDLE;
  record(L"HcsShutDownComputeSystem %ls %ls", system->id, or_null(options));
  operation->result = shut_down(system);
  return S_OK;
}

EXPORT HRESULT HcsTerminateComputeSystem(void *handle, void *operation_handle, PCWSTR_ options) {
  const System *system = as_system(handle);
  Operation *operation = as_operation(operation_handle);
  if (system == NULL || operation == NULL) return E_HANDLE;
  record(L"HcsTerminateComputeSystem %ls %ls", system->id, or_null(options));
  operation->result = terminate(system);
  return S_OK;
}
