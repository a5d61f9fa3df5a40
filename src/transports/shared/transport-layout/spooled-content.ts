import {rmSync} from 'node:fs'
import type {Content} from '../../../model/content.js'
import {UnpackLimit} from '../../../model/unpack-limit.js'
import {PayloadFile} from './carrier-file.js'
import {CarrierOutput} from './carrier-output.js'
import {DiskFile} from './folder-files.js'

/** Content that waits in a file of its own until its place in the carrier comes. */
export interface SpooledContent {
  readonly content: Content
  /** Removes the file. */
  close(): void
}

/** Reads content into the new file `spool`, holes left as holes, and gives it out again. */
export async function spoolContent(
  content: Content,
  spool: string,
  signal: AbortSignal | undefined,
): Promise<SpooledContent> {
  let file: PayloadFile | undefined
  const close = () => {
    file?.close()
    rmSync(spool, {force: true})
  }
  try {
    const output = new CarrierOutput(spool, spool, signal)
    try {
      await output.content(content, content.size, undefined)
      output.end()
    } finally {
      output.close()
    }
    // Its holes were never spelt out, and the writer leaves them so: there is nothing to limit.
    const limit = new UnpackLimit(spool, Infinity)
    file = new PayloadFile(new DiskFile(spool, spool), content.size, {place: spool, limit, signal})
    return {content: file.whole(content.ranges), close}
  } catch (error) {
    close()
    throw error
  }
}
