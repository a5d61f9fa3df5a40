import {compareKeyNames, findSubkey, type HiveKey} from '../codecs/registry-hive/hive-key.js'

const MACHINE = 'HKEY_LOCAL_MACHINE'
const USERS = 'HKEY_USERS'

/**
 * Other words for the roots, and roots that Windows only links to the two that are stored. A container image has one
 * user, the default one, so that is whose `HKEY_CURRENT_USER` is shown. Source: Predefined Keys, winreg.h.
 */
const ROOTS: Readonly<Record<string, readonly string[]>> = {
  HKLM: [MACHINE],
  HKU: [USERS],
  HKCR: [MACHINE, 'SOFTWARE', 'Classes'],
  HKEY_CLASSES_ROOT: [MACHINE, 'SOFTWARE', 'Classes'],
  HKCU: [USERS, '.DEFAULT'],
  HKEY_CURRENT_USER: [USERS, '.DEFAULT'],
  HKCC: [MACHINE, 'SYSTEM', 'CurrentControlSet', 'Hardware Profiles', 'Current'],
  HKEY_CURRENT_CONFIG: [MACHINE, 'SYSTEM', 'CurrentControlSet', 'Hardware Profiles', 'Current'],
}

/**
 * The names of a key as users type it: with or without a backslash at either end; `HKLM`, PowerShell's `HKLM:\` and
 * `Registry::HKEY_LOCAL_MACHINE`, regedit's `Computer\HKEY_LOCAL_MACHINE`; `HKCR` and `HKCU` as what they lead to.
 */
export function splitTypedKey(text: string | undefined): string[] {
  const key = (text ?? '').replace(/^(?:Microsoft\.PowerShell\.Core\\)?Registry::/i, '').replace(/^\\*Computer\\/i, '')
  const [first = '', ...rest] = key.split('\\').filter((name) => name !== '')
  const root = ROOTS[first.replace(/:$/, '').toUpperCase()]
  if (root !== undefined) return [...root, ...rest]
  return first === '' ? [] : [first, ...rest]
}

/**
 * `CurrentControlSet` below the root of a SYSTEM hive: a link that Windows makes when it starts, to the control set that
 * `Select\Current` numbers. Undefined for any other name, and where the number is not told.
 */
export function findControlSet(system: HiveKey, name: string): HiveKey | undefined {
  if (compareKeyNames(name, 'CurrentControlSet') !== 0) return undefined
  const current = findSubkey(system, 'Select')
    ?.values()
    .find((value) => compareKeyNames(value.name, 'Current') === 0)
  if (current?.data.byteLength !== 4) return undefined
  const {buffer, byteOffset} = current.data
  const number = new DataView(buffer, byteOffset, 4).getUint32(0, true)
  return findSubkey(system, `ControlSet${String(number).padStart(3, '0')}`)
}
