import type {DockerJson, PayloadJson} from '../../src/formats/package/schema.js'
import type {Repository, StoredPackage} from '../../src/formats/package/repository.js'
import type {LayoutFiles} from '../../src/formats/transport-layout/layout-files.js'
import type {Digest} from '../../src/model/digest.js'
import type {PackageMetadata} from '../../src/model/image.js'
import {formatFullName, identityKey, parseFullName, type PackageIdentity} from '../../src/model/package-identity.js'

/** A digest of one digit, over and over. */
export const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}` as Digest

/** `Name` or `Name 1.2.3.4`, published by Contoso. */
export function identityOf(text: string): PackageIdentity {
  const [name = '', version = '1.0.0.0'] = text.split(' ')
  return {publisher: 'CN=Contoso', name, version}
}

export interface StoredOptions {
  readonly metadata?: Partial<PackageMetadata>
  readonly payload?: Partial<PayloadJson>
  readonly docker?: DockerJson
  readonly files?: LayoutFiles
  readonly more?: Partial<StoredPackage>
}

/** Whoever asks for a file of what has none gets an error of its own. */
const NO_FILES = {} as LayoutFiles

/** A package as its metadata tell of it; without `files` there is nothing that could be read. */
export function storedOf(text: string, {metadata, payload, docker, files, more}: StoredOptions = {}): StoredPackage {
  const identity = identityOf(text)
  return {
    entryName: formatFullName(identity),
    isLegacy: false,
    payload: {Kind: 'delta', Layout: 'transport-1', ...payload},
    ...(docker === undefined ? {} : {docker}),
    files: files ?? NO_FILES,
    metadata: {
      identity,
      architecture: 'x64',
      isOsImage: false,
      createdTime: '2024-01-02T03:04:05.0000000Z',
      dependencies: [],
      ...metadata,
    },
    ...more,
  }
}

/** A repository of these packages that notes what of it is closed. */
export function repositoryWith(packages: readonly StoredPackage[], more: Partial<Repository> = {}): Repository {
  return {
    root: '/repository',
    packages,
    faults: [],
    unreadable: new Map(),
    referenceTo: (identity) => `inbox:/repository${identity === undefined ? '' : `:${formatFullName(identity)}`}`,
    close: () => undefined,
    ...more,
  }
}

/** The key under which a full name is kept. */
export const keyOfName = (fullName: string) => identityKey(parseFullName(fullName))
