import {readdir, stat} from 'node:fs/promises'
import {homedir} from 'node:os'
import path from 'node:path'
import type {Candidate} from './candidate.js'

/** More than anybody reads, and quick to send to a shell. */
const MOST = 1000

/** Files and folders, or folders alone, that begin with a typed path; folders end in a separator. */
export async function completePath(
  typed: string,
  {isFolder = false}: {readonly isFolder?: boolean} = {},
): Promise<readonly Candidate[]> {
  const separators = process.platform === 'win32' ? ['/', '\\'] : ['/']
  const startAt = Math.max(...separators.map((each) => typed.lastIndexOf(each))) + 1
  const [folder, start] = [typed.slice(0, startAt), typed.slice(startAt)]
  const separator = folder.endsWith('\\') ? '\\' : '/'
  const entries = await readdir(expandHome(folder) || '.', {withFileTypes: true}).catch(() => [])
  const fitting = entries.filter(({name}) => name.startsWith(start) && (start !== '' || !name.startsWith('.')))
  const found: Candidate[] = []
  for (const entry of fitting.sort((left, right) => (left.name < right.name ? -1 : 1)).slice(0, MOST)) {
    const isInner = entry.isDirectory() || (entry.isSymbolicLink() && (await isFolderAt(folder + entry.name)))
    if (isInner) found.push({text: `${folder}${entry.name}${separator}`, isWhole: false})
    else if (!isFolder) found.push({text: folder + entry.name, isWhole: true})
  }
  return found
}

function isFolderAt(file: string): Promise<boolean> {
  return stat(expandHome(file)).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

function expandHome(file: string): string {
  return /^~[/\\]/.test(file) ? path.join(homedir(), file.slice(2)) + (/[/\\]$/.test(file) ? path.sep : '') : file
}
