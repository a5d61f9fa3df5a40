import {EnvironmentError} from '../model/errors.js'

/** Throws `WINDOWS_ONLY` off Windows, with why that is so and the command to run there. */
export function requireWindows(what: string, command: string, platform: NodeJS.Platform = process.platform): void {
  if (platform === 'win32') return
  throw new EnvironmentError('WINDOWS_ONLY', {
    what: `${what} works on Windows only.`,
    why: `It calls the Host Compute Service of the Windows host, and this is ${platform}.`,
    suggestions: [`On the container host, in an elevated terminal, run: ${command}`],
  })
}
