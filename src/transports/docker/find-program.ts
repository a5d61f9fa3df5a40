import {access, constants, stat} from 'node:fs/promises'
import path from 'node:path'

/**
 * The folders in which a program is looked for: those of PATH that are whole paths. Never the current folder, which may be
 * anybody's: Windows looks there first when it is given a bare name, and on other systems an empty or relative part of
 * PATH stands for it.
 */
export function programFolders(pathText: string | undefined, platform: NodeJS.Platform): readonly string[] {
  const rules = platform === 'win32' ? path.win32 : path.posix
  return (pathText ?? '')
    .split(rules.delimiter)
    .map((folder) => (platform === 'win32' ? folder.replace(/^"(.*)"$/, '$1') : folder))
    .filter((folder) => isWhole(folder, platform))
}

/** On Windows a path without a drive or a share is relative to the current drive. */
function isWhole(folder: string, platform: NodeJS.Platform): boolean {
  return platform === 'win32' ? /^(?:[A-Za-z]:[\\/]|[\\/]{2}[^\\/])/.test(folder) : path.posix.isAbsolute(folder)
}

/** Where a program is, by the search path; undefined when it is in none of its folders. */
export async function findProgram(
  name: string,
  {env, platform}: {readonly env: NodeJS.ProcessEnv; readonly platform: NodeJS.Platform} = process,
): Promise<string | undefined> {
  const pathText = Object.entries(env).find(([key]) => (platform === 'win32' ? key.toUpperCase() : key) === 'PATH')?.[1]
  for (const folder of programFolders(pathText, platform)) {
    const file = path.join(folder, platform === 'win32' ? `${name}.exe` : name)
    if (await isProgram(file)) return file
  }
  return undefined
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}
