import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import type {WorkOptions} from '../../../src/model/events.js'
import type {NetworkOptions} from '../../../src/model/transport.js'

/** Bytes by file name, below the folder of the input; or something that only the file system can hold. */
export type Files = Readonly<Record<string, Uint8Array | string>>

/** What other tools can be given: a layer as a tar, an archive of images, an OCI layout. */
export interface Forms {
  readonly tar?: Uint8Array
  readonly archive?: Uint8Array
  readonly layout?: Files
}

export interface Built {
  /** What transship is given, by the folder in which it lies. */
  readonly reference: (folder: string) => string
  readonly files: Files
  /** Does what bytes cannot, such as links. */
  readonly finish?: (folder: string) => void
  readonly forms?: Forms
  /** A server that is the input: its reference takes the place of the one above. `folder`: an empty one beside it. */
  readonly start?: (folder: string) => Promise<Service>
}

/** A server that lies. */
export interface Service {
  readonly reference: string
  readonly options?: WorkOptions & NetworkOptions
  stop(): void | Promise<void>
}

/** How the input is used: converted, written to, verified, or read in another way. */
export type Use = 'convert' | 'push' | 'verify' | 'list' | 'hive' | 'chain' | 'batch'

/** One hostile input: what it is, and what transship says of it. */
export interface HostileInput {
  /** Stable; docs and tests name it. */
  readonly name: string
  readonly format: string
  readonly use: Use
  /** Expected error code, or of a fault that `verify` finds. */
  readonly code: string
  readonly exit: number
  /** What the message must name: an entry, a file, a layer. */
  readonly entry?: string
  readonly build: () => Built | Promise<Built>
}

export function writeInput(folder: string, {files, finish}: Pick<Built, 'files' | 'finish'>): void {
  for (const [name, bytes] of Object.entries(files)) {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), {recursive: true})
    writeFileSync(file, bytes)
  }
  finish?.(folder)
}
