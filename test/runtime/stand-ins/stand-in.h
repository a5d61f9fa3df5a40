/*
 * What the stand-ins for Windows' container DLLs share. They hold callers to the documented arguments, answer with the
 * documented documents and HRESULTs, and write every call, one a line, into %STAND_IN_FOLDER%\calls.log. What has ended is
 * kept there too, so that the next process sees it.
 */
#ifndef STAND_IN_H
#define STAND_IN_H
#define UNICODE
#include <windows.h>
#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>

#define EXPORT __declspec(dllexport)
typedef const wchar_t *PCWSTR_;
#define HCS_NOT_FOUND ((HRESULT)0xC037010EL)
#define HCS_ALREADY_STOPPED ((HRESULT)0xC0370110L)
#define HCS_PENDING ((HRESULT)0xC0370103L)
#define HCS_TIMEOUT ((HRESULT)0x80370118L)
#define HCS_INVALID_JSON ((HRESULT)0xC037010DL)
#define DENIED ((HRESULT)0x80070005L)

static void in_folder(wchar_t *path, const wchar_t *name) {
  wchar_t folder[MAX_PATH] = L"";
  GetEnvironmentVariableW(L"STAND_IN_FOLDER", folder, MAX_PATH);
  swprintf(path, 2 * MAX_PATH, L"%ls\\%ls", folder, name);
}

static void record(const wchar_t *format, ...) {
  wchar_t line[4096], path[2 * MAX_PATH];
  char bytes[3 * 4096];
  DWORD written;
  va_list values;
  va_start(values, format);
  vswprintf(line, 4096, format, values);
  va_end(values);
  in_folder(path, L"calls.log");
  /* Appending is not atomic everywhere, and calls come from several threads. */
  HANDLE turn = CreateMutexW(NULL, FALSE, L"transship-stand-in");
  WaitForSingleObject(turn, INFINITE);
  HANDLE file = CreateFileW(path, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS, 0, NULL);
  int size = WideCharToMultiByte(CP_UTF8, 0, line, -1, bytes, sizeof bytes - 1, NULL, NULL);
  if (size > 0 && file != INVALID_HANDLE_VALUE) {
    bytes[size - 1] = '\n';
    WriteFile(file, bytes, (DWORD)size, &written, NULL);
  }
  CloseHandle(file);
  ReleaseMutex(turn);
  CloseHandle(turn);
}

/** What the test asks the whole service to do: `denied`, `garbage`, `hang`, or nothing. */
static int is_mode(const wchar_t *wanted) {
  wchar_t mode[64] = L"";
  GetEnvironmentVariableW(L"STAND_IN_MODE", mode, 64);
  return wcscmp(mode, wanted) == 0;
}

static const wchar_t *or_null(PCWSTR_ text) { return text == NULL ? L"NULL" : text; }

typedef struct {
  const wchar_t *id, *name, *owner, *state, *os;
} System;

static const System SYSTEMS[] = {
    {L"aa11000000000000000000000000000000000000000000000000000000000001", L"", L"docker", L"Running", L"Windows"},
    {L"bb22000000000000000000000000000000000000000000000000000000000002", L"pod", L"containerd-shim-runhcs-v1.exe",
     L"Running", L"Windows"},
    {L"stubborn", L"ignores requests", L"Contoso.Inbox", L"Running", L"Windows"},
    {L"slow", L"", L"Contoso.Inbox", L"Running", L"Windows"},
    {L"denied", L"", L"VMMS", L"Running", L"Linux"},
    {L"vanishing", L"", L"docker", L"Paused", L"Windows"},
    {L"late", L"", L"docker", L"Running", L"Windows"},
    {L"finished", L"", L"docker", L"Stopped", L"Windows"},
};
#define SYSTEM_COUNT (int)(sizeof SYSTEMS / sizeof SYSTEMS[0])

static const System *find_system(PCWSTR_ id) {
  for (int at = 0; at < SYSTEM_COUNT; at++)
    if (wcscmp(SYSTEMS[at].id, id) == 0) return &SYSTEMS[at];
  return NULL;
}

static int has_ended(const System *system) {
  wchar_t name[128], path[2 * MAX_PATH];
  swprintf(name, 128, L"%ls.ended", system->id);
  in_folder(path, name);
  return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

static void end_system(const System *system) {
  wchar_t name[128], path[2 * MAX_PATH];
  swprintf(name, 128, L"%ls.ended", system->id);
  in_folder(path, name);
  CloseHandle(CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL));
}

static DWORD WINAPI end_later(void *system) {
  Sleep(300);
  end_system((const System *)system);
  return 0;
}

/** The list of systems as the service writes it; ended ones are gone from it. */
static const wchar_t *systems_json(void) {
  static wchar_t text[16384];
  wchar_t one[1024];
  wcscpy(text, L"[");
  for (int at = 0; at < SYSTEM_COUNT; at++) {
    const System *system = &SYSTEMS[at];
    if (has_ended(system)) continue;
    wchar_t name[128] = L"";
    if (*system->name) swprintf(name, 128, L"\"Name\":\"%ls\",", system->name);
    swprintf(one, 1024,
             L"%ls{\"Id\":\"%ls\",\"SystemType\":\"Container\",%ls\"Owner\":\"%ls\",\"RuntimeId\":"
             L"\"00000000-0000-0000-0000-00000000000%d\",\"RuntimeOsType\":\"%ls\",\"State\":\"%ls\",\"Stopped\":%ls}",
             wcslen(text) > 1 ? L"," : L"", system->id, name, system->owner, at, system->os, system->state,
             wcscmp(system->state, L"Stopped") == 0 ? L"true" : L"false");
    wcscat(text, one);
  }
  wcscat(text, L"]");
  return is_mode(L"garbage") ? L"[{\"Id\":" : text;
}

static const wchar_t *properties_json(void) {
  return L"{\"Statistics\":{\"Timestamp\":\"2026-01-02T03:04:06Z\",\"ContainerStartTime\":\"2026-01-02T03:04:05Z\","
         L"\"Uptime100ns\":10000000,\"Memory\":{\"MemoryUsageCommitBytes\":73400320,\"MemoryUsageCommitPeakBytes\":"
         L"80000000,\"MemoryUsagePrivateWorkingSetBytes\":41943040},\"Processor\":{\"TotalRuntime100ns\":25000000,"
         L"\"RuntimeUser100ns\":15000000,\"RuntimeKernel100ns\":10000000}},\"ProcessList\":[{\"ProcessId\":4242,"
         L"\"ImageName\":\"svchost.exe\",\"CreateTimestamp\":\"2026-01-02T03:04:07Z\"},{\"ProcessId\":4100,"
         L"\"ImageName\":\"smss.exe\",\"CreateTimestamp\":\"2026-01-02T03:04:05Z\"}]}";
}

static HRESULT check_query(PCWSTR_ got, const wchar_t *wanted) {
  return got != NULL && wcscmp(got, wanted) == 0 ? S_OK : HCS_INVALID_JSON;
}
#define LIST_QUERY L"{\"Types\":[\"Container\"]}"
#define NUMBERS_QUERY L"{\"PropertyTypes\":[\"Statistics\",\"ProcessList\"]}"

static HRESULT shut_down(const System *system) {
  if (wcscmp(system->id, L"denied") == 0) return DENIED;
  if (wcscmp(system->id, L"stubborn") == 0) return S_OK;
  if (wcscmp(system->id, L"late") == 0 || has_ended(system)) return HCS_ALREADY_STOPPED;
  if (wcscmp(system->id, L"slow") == 0) {
    CloseHandle(CreateThread(NULL, 0, end_later, (void *)system, 0, NULL));
    return HCS_PENDING;
  }
  end_system(system);
  return S_OK;
}

static HRESULT terminate(const System *system) {
  if (wcscmp(system->id, L"denied") == 0) return DENIED;
  if (wcscmp(system->id, L"late") == 0 || has_ended(system)) return HCS_ALREADY_STOPPED;
  if (wcscmp(system->id, L"slow") == 0) {
    CloseHandle(CreateThread(NULL, 0, end_later, (void *)system, 0, NULL));
    return HCS_PENDING;
  }
  end_system(system);
  return S_OK;
}

/** Copies a tree of plain files. */
static HRESULT copy_tree(const wchar_t *from, const wchar_t *to) {
  wchar_t pattern[1024], source[1024], target[1024];
  WIN32_FIND_DATAW found;
  CreateDirectoryW(to, NULL);
  swprintf(pattern, 1024, L"%ls\\*", from);
  HANDLE search = FindFirstFileW(pattern, &found);
  if (search == INVALID_HANDLE_VALUE) return HRESULT_FROM_WIN32(GetLastError());
  HRESULT result = S_OK;
  do {
    if (wcscmp(found.cFileName, L".") == 0 || wcscmp(found.cFileName, L"..") == 0) continue;
    swprintf(source, 1024, L"%ls\\%ls", from, found.cFileName);
    swprintf(target, 1024, L"%ls\\%ls", to, found.cFileName);
    if (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) result = copy_tree(source, target);
    else if (!CopyFileW(source, target, TRUE)) result = HRESULT_FROM_WIN32(GetLastError());
  } while (SUCCEEDED(result) && FindNextFileW(search, &found));
  FindClose(search);
  return result;
}

static int is_folder(PCWSTR_ path) {
  DWORD attributes = GetFileAttributesW(path);
  return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

static const wchar_t *last_part(PCWSTR_ path) {
  const wchar_t *slash = wcsrchr(path, L'\\');
  return slash == NULL ? path : slash + 1;
}

/** A runtime layer of the stand-ins keeps its content in `payload`. */
static HRESULT export_layer(PCWSTR_ layer, PCWSTR_ folder) {
  wchar_t payload[1024];
  if (!is_folder(layer) || !is_folder(folder)) return HRESULT_FROM_WIN32(ERROR_PATH_NOT_FOUND);
  if (wcscmp(last_part(layer), L"denied") == 0) return DENIED;
  swprintf(payload, 1024, L"%ls\\payload", layer);
  HRESULT result = copy_tree(payload, folder);
  return wcscmp(last_part(layer), L"full") == 0 ? HRESULT_FROM_WIN32(ERROR_DISK_FULL) : result;
}

static HRESULT import_layer(PCWSTR_ layer, PCWSTR_ folder) {
  wchar_t payload[1024];
  if (!is_folder(folder)) return HRESULT_FROM_WIN32(ERROR_PATH_NOT_FOUND);
  if (!CreateDirectoryW(layer, NULL)) return HRESULT_FROM_WIN32(GetLastError());
  swprintf(payload, 1024, L"%ls\\payload", layer);
  HRESULT result = copy_tree(folder, payload);
  return wcscmp(last_part(layer), L"broken") == 0 ? (HRESULT)0x80370112L : result;
}

static HRESULT destroy_tree(PCWSTR_ folder) {
  wchar_t pattern[1024], path[1024];
  WIN32_FIND_DATAW found;
  swprintf(pattern, 1024, L"%ls\\*", folder);
  HANDLE search = FindFirstFileW(pattern, &found);
  if (search == INVALID_HANDLE_VALUE) return HRESULT_FROM_WIN32(GetLastError());
  do {
    if (wcscmp(found.cFileName, L".") == 0 || wcscmp(found.cFileName, L"..") == 0) continue;
    swprintf(path, 1024, L"%ls\\%ls", folder, found.cFileName);
    if (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) destroy_tree(path);
    else DeleteFileW(path);
  } while (FindNextFileW(search, &found));
  FindClose(search);
  return RemoveDirectoryW(folder) ? S_OK : HRESULT_FROM_WIN32(GetLastError());
}
#endif
