import {execFile} from 'node:child_process'
import {closeSync, fsyncSync, openSync} from 'node:fs'
import {promisify} from 'node:util'

/** Makes everything written durable before the renames do it: one call for all files where the system has it. */
export async function flushFileSystem(folder: string): Promise<void> {
  if (process.platform !== 'linux') return
  // A missing or old coreutils leaves durability to the system's own pace; atomicity does not depend on it.
  await promisify(execFile)('sync', ['--file-system', folder]).catch(() => undefined)
}

/** Makes renames inside a folder durable. */
export function flushFolder(folder: string): void {
  if (process.platform === 'win32') return
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
