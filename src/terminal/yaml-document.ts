/** The parser of YAML, to be loaded when it is needed: a bundle keeps the names of a module of ours, and not those of a package. */
export {parseDocument} from 'yaml'
