import {Command} from '@oclif/core'
import {readQuestion, SHELLS} from '../../src/terminal/completion/answer-shell.js'
import {complete} from '../../src/terminal/completion/complete.js'

/** What the completion scripts call. It reads its words as they are: those of a half-typed command are no flags of this one. */
export default class CompletionWords extends Command {
  static override hidden = true
  static override strict = false
  static override summary = 'Print candidates for the last word of a command line; the completion scripts call this.'
  static override description =
    'Takes a shell, -- and the words behind the program name; for bash the line up to the cursor and COMP_WORDBREAKS. Prints a ' +
    'line for each candidate, and nothing when there is none.'
  static override examples = [
    {
      description: 'Complete a reference:',
      command: "<%= config.bin %> <%= command.id %> fish -- convert 'docker-archive:'",
    },
    {
      description: 'Complete a line of bash:',
      command: "<%= config.bin %> <%= command.id %> bash -- 'transship list in'",
    },
  ]

  async run(): Promise<void> {
    // The dashes keep `--help` among the words from being taken for one of this command.
    const [name, , ...sent] = this.argv
    const shell = SHELLS.find((known) => known === name)
    if (shell === undefined) return
    const {words, answer} = readQuestion(shell, sent)
    const candidates = await complete(words, this.config).catch(() => [])
    process.stdout.write(
      answer(candidates)
        .map((line) => `${line}\n`)
        .join(''),
    )
  }
}
