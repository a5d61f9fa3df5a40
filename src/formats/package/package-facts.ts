import type {PackageMetadata} from '../../model/image.js'

/** What a package says of itself, as its metadata.json and the label of an image spell it. */
export interface FactsJson {
  readonly FriendlyName?: string
  readonly Description?: string
  readonly Architecture: string
  readonly OSVersion?: string
  readonly OSFeatures?: readonly string[]
  readonly IsOSImage: boolean
  readonly IsDeleted?: boolean
}

export type PackageFacts = Pick<
  PackageMetadata,
  'friendlyName' | 'description' | 'architecture' | 'osVersion' | 'osFeatures' | 'isOsImage' | 'isDeleted'
>

/** What is not stated stays absent. */
export function decodeFacts(json: FactsJson): PackageFacts {
  return {
    ...(json.FriendlyName === undefined ? {} : {friendlyName: json.FriendlyName}),
    ...(json.Description === undefined ? {} : {description: json.Description}),
    architecture: json.Architecture,
    ...(json.OSVersion === undefined ? {} : {osVersion: json.OSVersion}),
    ...(json.OSFeatures === undefined ? {} : {osFeatures: json.OSFeatures}),
    isOsImage: json.IsOSImage,
    ...(json.IsDeleted === undefined ? {} : {isDeleted: json.IsDeleted}),
  }
}

/** The keys in their fixed order. */
export function encodeFacts(facts: PackageFacts): FactsJson {
  return {
    ...(facts.friendlyName === undefined ? {} : {FriendlyName: facts.friendlyName}),
    ...(facts.description === undefined ? {} : {Description: facts.description}),
    Architecture: facts.architecture,
    ...(facts.osVersion === undefined ? {} : {OSVersion: facts.osVersion}),
    ...(facts.osFeatures === undefined ? {} : {OSFeatures: facts.osFeatures}),
    IsOSImage: facts.isOsImage,
    ...(facts.isDeleted === undefined ? {} : {IsDeleted: facts.isDeleted}),
  }
}
