import {Errors, type Hook} from '@oclif/core'
import {printable} from '../model/printable.js'

/** What oclif says of a command that is not there, with everything a terminal would act on made visible. */
const commandNotFound: Hook.CommandNotFound = ({id}) =>
  Promise.reject(new Errors.CLIError(`command ${printable(id.replaceAll(':', ' '))} not found`, {exit: 2}))

export default commandNotFound
