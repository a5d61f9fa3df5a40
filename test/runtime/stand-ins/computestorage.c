#include "stand-in.h"

EXPORT HRESULT HcsExportLayer(PCWSTR_ layer, PCWSTR_ folder, PCWSTR_ data, PCWSTR_ options) {
  record(L"HcsExportLayer %ls | %ls | %ls | %ls", layer, folder, data, or_null(options));
  return export_layer(layer, folder);
}

EXPORT HRESULT HcsImportLayer(PCWSTR_ layer, PCWSTR_ folder, PCWSTR_ data) {
  record(L"HcsImportLayer %ls | %ls | %ls", layer, folder, data);
  return import_layer(layer, folder);
}

EXPORT HRESULT HcsDestroyLayer(PCWSTR_ layer) {
  record(L"HcsDestroyLayer %ls", layer);
  return destroy_tree(layer);
}
