import type {WorkOptions} from '../../model/events.js'
import type {PackageIdentity} from '../../model/package-identity.js'
import type {WorkPlace} from './lock.js'
import type {Repository, StoredPackage} from './repository.js'
import type {WrittenPackage} from './write-package.js'

/** A package as the place keeps it: in the work folder still. */
export interface SealedPackage {
  /** Of the folder or file. */
  readonly path: string
  /** The package as it can be read there. */
  readonly stored: StoredPackage
  readonly bytesWritten: number
}

/** What differs between places that keep packages. */
export interface PackagePlace extends WorkPlace {
  /** False: the folder is to be made. */
  readonly exists: boolean
  /** It has room for one package only. */
  readonly holdsOne?: true
  /** A package is kept as a file there: the folder it is written into first does not stay. */
  readonly keepsFiles?: true
  /** Reads what is there now. */
  read(): Promise<Repository>
  /** What a package is to be called there; `existing` is the one in its place. */
  nameOf(identity: PackageIdentity, existing: StoredPackage | undefined): string
  /** Makes of a package that was written as a folder what the place keeps. */
  seal(written: WrittenPackage, work: string, options: WorkOptions): Promise<SealedPackage>
  /** All packages that may build on one there, where the repository is not all of them. */
  neighbours?(): Promise<readonly StoredPackage[]>
  /** A file that tells what the folder is; written when it is not there. */
  readonly marker?: {readonly name: string; readonly bytes: string}
}
