import {Help, type Command} from '@oclif/core'
import {shortHelp} from './short-help.js'

/** Of output that is no terminal, or one that does not know its size. */
const USUAL_WIDTH = 100
const LEAST_WIDTH = 40

/** `--help` is the whole help, as oclif shows it; `-h` what fits on a screen. */
export default class TransshipHelp extends Help {
  #isShort = false

  override async showHelp(argv: string[]): Promise<void> {
    this.#isShort = argv.includes('-h') && !argv.includes('--help')
    await super.showHelp(argv)
  }

  override async showCommandHelp(command: Command.Loadable): Promise<void> {
    if (!this.#isShort) return super.showCommandHelp(command)
    const {isTTY, columns} = process.stdout
    const width = isTTY && columns > 0 ? Math.max(LEAST_WIDTH, columns) : USUAL_WIDTH
    const fill = (text: string) =>
      text
        .replaceAll('<%= config.bin %>', this.config.bin)
        .replaceAll('<%= command.id %>', command.id.replaceAll(':', ' '))
    this.log(shortHelp(command, {bin: this.config.bin, width, fill}))
  }
}
