import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'

/** Every file below a folder with its bytes, and every folder. */
export function treeOf(root: string): Record<string, string> {
  const files = readdirSync(root, {recursive: true, withFileTypes: true})
  return Object.fromEntries(
    files.map((child) => {
      const file = path.join(child.parentPath, child.name)
      return [path.relative(root, file), child.isDirectory() ? 'folder' : readFileSync(file).toString('base64')]
    }),
  )
}
