import {homedir} from 'node:os'
import path from 'node:path'

/**
 * The folder for what transship has to remember between runs: `transship` in %LocalAppData% on Windows, elsewhere in
 * XDG_STATE_HOME or ~/.local/state. Source: XDG Base Directory Specification 0.8.
 */
export function findStatePlace(
  env: Readonly<Record<string, string | undefined>>,
  {platform = process.platform, home = homedir()}: {readonly platform?: NodeJS.Platform; readonly home?: string} = {},
): string {
  const {XDG_STATE_HOME: xdg = '', LOCALAPPDATA: local = ''} = env
  if (platform === 'win32') {
    return path.win32.join(local === '' ? path.win32.join(home, 'AppData', 'Local') : local, 'transship')
  }
  // A relative one is to be ignored, says the specification.
  return path.posix.join(path.posix.isAbsolute(xdg) ? xdg : path.posix.join(home, '.local', 'state'), 'transship')
}
