import {readdirSync, readlinkSync} from 'node:fs'

/** Files below a folder that this process holds open, removed ones too; none where the system does not tell. */
export function openBelow(folder: string): readonly string[] {
  if (process.platform !== 'linux') return []
  const open = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return open.filter((file) => file.startsWith(folder))
}
