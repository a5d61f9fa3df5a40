import {readdir, rm} from 'node:fs/promises'
import path from 'node:path'

/**
 * Removes what writers of a file or folder that were killed have left beside it: `.NAME.tmp-` and twelve hex digits. Only
 * for who knows that no one writes there now.
 */
export async function removeLeftovers(target: string): Promise<void> {
  const folder = path.dirname(target)
  const prefix = `.${path.basename(target)}.tmp-`
  const names: string[] = await readdir(folder).catch(() => [])
  for (const name of names) {
    if (!name.startsWith(prefix) || !/^[0-9a-f]{12}$/.test(name.slice(prefix.length))) continue
    await rm(path.join(folder, name), {recursive: true, force: true})
  }
}
