import {findSddl} from '../codecs/security-descriptor/format-sddl.js'

/** A security descriptor as rows show it; nothing where there is none. */
export interface DescribedSecurity {
  /** Base64 of the self-relative security descriptor. */
  readonly securityDescriptor?: string
  /** The same as text, in the security descriptor definition language; absent when it is damaged. */
  readonly sddl?: string
}

export function describeSecurity(bytes: Uint8Array | undefined): DescribedSecurity {
  if (bytes === undefined) return {}
  const sddl = findSddl(bytes)
  const {buffer, byteOffset, byteLength} = bytes
  return {
    securityDescriptor: Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
    ...(sddl === undefined ? {} : {sddl}),
  }
}
