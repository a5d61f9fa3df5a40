import {findingOf, type Loss, type Note, type WorkEvent} from '../model/events.js'
import {BASE_MISMATCH} from '../formats/package/payload-mark.js'
import type {ConvertOptions} from './options.js'

/** Gathers what a conversion tells while it runs, and passes it on. */
export class Findings {
  readonly losses: Loss[] = []
  readonly notes: Note[] = []
  readonly inexact: Note[] = []
  readonly onEvent: (event: WorkEvent) => void

  constructor(options: ConvertOptions) {
    this.onEvent = (event) => {
      if (event.kind === 'loss') this.losses.push(findingOf(event))
      if (event.kind === 'note') this.notes.push(findingOf(event))
      if (event.kind === 'note' && event.code === BASE_MISMATCH) this.inexact.push(findingOf(event))
      options.onEvent?.(event)
    }
  }

  note(note: Note): void {
    this.onEvent({kind: 'note', ...note})
  }
}
