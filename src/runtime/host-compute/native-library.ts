import type {Koffi} from '../../disk/load-koffi.js'
import {EnvironmentError, InternalError} from '../../model/errors.js'
import {IS_EXECUTABLE} from '../../model/own-files.js'

/** C types used here. `out pointer`: address of a variable that receives a pointer, handed over as a `Pointer`. */
export type NativeType = 'int32' | 'uint32' | 'void' | 'str16' | 'void *' | 'out pointer' | NativeStruct

/** C struct, passed by its address: one record, or an array of them. Members in order, with natural alignment. */
export class NativeStruct {
  readonly members: Readonly<Record<string, 'uint32' | 'str16' | 'guid'>>

  constructor(members: NativeStruct['members']) {
    this.members = members
  }
}

/** Values of a struct's members; a GUID as its 16 bytes in memory. */
export type NativeRecord = Readonly<Record<string, number | string | Uint8Array>>

/** Variable that a function writes a pointer to; null before, and where the function left it. */
export class Pointer {
  readonly box: [bigint | null] = [null]

  get value(): bigint | null {
    return this.box[0] === 0n ? null : this.box[0]
  }
}

export type NativeValue = number | bigint | string | null | Buffer | Pointer | NativeRecord | readonly NativeRecord[]

/** A function of a DLL. It runs on another thread, since most of them wait. */
export type NativeFunction = (...args: readonly NativeValue[]) => Promise<unknown>

/** A DLL of the system. */
export interface NativeLibrary {
  readonly name: string
  /** Throws `FORMAT_UNSUPPORTED` when this version of Windows lacks the function. */
  declare(name: string, result: NativeType, args: readonly NativeType[]): NativeFunction
  /** False when this version of Windows lacks the function. */
  has(name: string): boolean
}

/** The DLLs of this Windows. */
export interface NativeSystem {
  /** Undefined when the system folder has no such DLL. Throws `IO_FAILED` when it is there and cannot be loaded. */
  findLibrary(name: string): NativeLibrary | undefined
  /** Text at a pointer, NUL-terminated UTF-16. */
  readText(pointer: bigint): string
}

/** Binds to Windows. Throws `TOOL_MISSING` when the optional package koffi is not to be had on this machine. */
export async function openNativeSystem(): Promise<NativeSystem> {
  let koffi: Koffi
  try {
    const {loadKoffi} = await import('../../disk/load-koffi.js')
    koffi = loadKoffi()
  } catch (cause) {
    throw new EnvironmentError('TOOL_MISSING', {
      what: IS_EXECUTABLE
        ? 'This executable cannot load its copy of koffi, which calls the Windows API.'
        : 'The package koffi, which calls the Windows API, is not installed.',
      why: cause instanceof Error ? cause.message : String(cause),
      suggestions: IS_EXECUTABLE
        ? ['Set XDG_CACHE_HOME to a folder of your own that you can write to.']
        : ['Install it with the optional packages: npm install --include=optional transship'],
      cause,
    })
  }
  const folder = systemFolder(koffi)
  return {
    findLibrary: (name) => findLibrary(koffi, folder, name),
    readText: (pointer) => koffi.decode.string16(pointer),
  }
}

/** Only there: by its bare name a DLL beside the program, planted by anybody, would be taken first. */
function systemFolder(koffi: Koffi): string {
  const buffer = Buffer.alloc(2 * 520)
  const getSystemDirectory = koffi.load('kernel32.dll').func('GetSystemDirectoryW', 'uint32', ['void *', 'uint32'])
  const length: unknown = getSystemDirectory(buffer, 520)
  if (typeof length !== 'number' || length === 0 || length > 520) {
    throw new InternalError('INTERNAL', {what: 'Windows did not return its system folder.'})
  }
  return buffer.toString('utf16le', 0, 2 * length)
}

function findLibrary(koffi: Koffi, folder: string, name: string): NativeLibrary | undefined {
  const path = `${folder}\\${name}`
  let handle: ReturnType<Koffi['load']>
  try {
    handle = koffi.load(path)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    // The loader tells a DLL that is not there in words only.
    if (/not found|126/i.test(why)) return undefined
    throw new EnvironmentError('IO_FAILED', {what: `transship cannot load ${path}.`, why, cause})
  }
  const typeOf = (type: NativeType) => {
    if (type === 'out pointer') return koffi.out(koffi.pointer('void *'))
    return type instanceof NativeStruct ? koffi.pointer(structOf(koffi, type)) : type
  }
  return {
    name,
    has: (symbol) => hasSymbol(handle, symbol),
    declare(symbol, result, args) {
      if (!hasSymbol(handle, symbol)) {
        throw new EnvironmentError('FORMAT_UNSUPPORTED', {
          what: `${name} on this Windows does not have ${symbol}.`,
          suggestions: ['Use Windows Server 2016 or later with the Containers feature.'],
        })
      }
      const native = handle.func(symbol, typeOf(result), args.map(typeOf))
      return (...values) =>
        new Promise((resolve, reject) => {
          const plain = values.map((value) => (value instanceof Pointer ? value.box : value))
          native.async(...plain, (error: unknown, answer: unknown) => {
            if (error === null || error === undefined) resolve(answer)
            else reject(error instanceof Error ? error : new Error(`${symbol} could not be called.`))
          })
        })
    },
  }
}

function structOf(koffi: Koffi, {members}: NativeStruct) {
  const types = Object.entries(members).map(([name, type]) => [
    name,
    type === 'guid' ? koffi.array('uint8', 16, 'Typed') : type,
  ])
  return koffi.struct(Object.fromEntries(types) as Parameters<Koffi['struct']>[0] & object)
}

function hasSymbol(handle: ReturnType<Koffi['load']>, symbol: string): boolean {
  try {
    handle.func(symbol, 'void', [])
    return true
  } catch {
    return false
  }
}

/** The unsigned HRESULT of a call. */
export function asResultCode(value: unknown): number {
  if (typeof value !== 'number') throw new InternalError('INTERNAL', {what: 'A Windows function returned no HRESULT.'})
  return value >>> 0
}
