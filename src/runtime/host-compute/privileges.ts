import {EnvironmentError, InternalError} from '../../model/errors.js'
import {Pointer, type NativeFunction, type NativeSystem} from './native-library.js'

/** What reading and writing a layer past its security descriptors needs. */
export const LAYER_PRIVILEGES = ['SeBackupPrivilege', 'SeRestorePrivilege'] as const

const TOKEN_ADJUST_PRIVILEGES = 0x20
const TOKEN_QUERY = 0x08
const SE_PRIVILEGE_ENABLED = 2
const PRIVILEGE_SET_ALL_NECESSARY = 1

interface SecurityApi {
  readonly lookUp: NativeFunction
  readonly adjust: NativeFunction
  readonly check: NativeFunction
}

/**
 * Enables privileges of this process and checks that they hold. Throws `NO_ACCESS` for one that the user has not:
 * Windows itself calls that a success. Source: securitybaseapi.h, winnt.h.
 */
export async function enablePrivileges(system: NativeSystem, names: readonly string[]): Promise<void> {
  const [security, kernel] = [system.findLibrary('advapi32.dll'), system.findLibrary('kernel32.dll')]
  if (security === undefined || kernel === undefined) throw new InternalError('INTERNAL', {what: 'No advapi32.dll.'})
  const openToken = security.declare('OpenProcessToken', 'int32', ['void *', 'uint32', 'out pointer'])
  const closeHandle = kernel.declare('CloseHandle', 'int32', ['void *'])
  const api: SecurityApi = {
    lookUp: security.declare('LookupPrivilegeValueW', 'int32', ['str16', 'str16', 'void *']),
    adjust: security.declare('AdjustTokenPrivileges', 'int32', [
      'void *',
      'int32',
      'void *',
      'uint32',
      'void *',
      'void *',
    ]),
    check: security.declare('PrivilegeCheck', 'int32', ['void *', 'void *', 'void *']),
  }
  const token = new Pointer()
  // -1 is the process itself.
  const opened = await openToken(-1n, TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, token)
  if (opened === 0 || token.value === null) throw missing(names)
  try {
    const lacking: string[] = []
    for (const name of names) if (!(await enable(api, token.value, name))) lacking.push(name)
    if (lacking.length > 0) throw missing(lacking)
  } finally {
    await closeHandle(token.value)
  }
}

async function enable({lookUp, adjust, check}: SecurityApi, token: bigint, name: string): Promise<boolean> {
  const luid = Buffer.alloc(8)
  if ((await lookUp(null, name, luid)) === 0) return false
  const wanted = Buffer.alloc(16) // TOKEN_PRIVILEGES
  wanted.writeUInt32LE(1, 0) //      0  PrivilegeCount
  luid.copy(wanted, 4) //            4  Luid
  wanted.writeUInt32LE(SE_PRIVILEGE_ENABLED, 12) // 12  Attributes
  if ((await adjust(token, 0, wanted, 0, null, null)) === 0) return false
  const required = Buffer.alloc(20) // PRIVILEGE_SET
  required.writeUInt32LE(1, 0) //    0  PrivilegeCount
  required.writeUInt32LE(PRIVILEGE_SET_ALL_NECESSARY, 4) // 4  Control
  luid.copy(required, 8) //          8  Luid
  const holds = Buffer.alloc(4) //      BOOL
  return (await check(token, required, holds)) !== 0 && holds.readUInt32LE(0) !== 0
}

function missing(names: readonly string[]): EnvironmentError {
  return new EnvironmentError('NO_ACCESS', {
    what: `This process does not have ${names.join(' and ')}.`,
    why: 'Reading and writing layers bypasses security descriptors, like a backup.',
    suggestions: ['Run in an elevated terminal as a member of Administrators or Backup Operators.'],
  })
}
