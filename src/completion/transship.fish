# fish completion for transship: transship completion fish > ~/.config/fish/completions/transship.fish
function __transship_complete
    set -l given (commandline -opc)
    set -l typed (commandline -ct)
    $given[1] completion words fish -- $given[2..-1] "$typed" 2>/dev/null </dev/null | while read -l line
        set -l parts (string split \t -- $line)
        printf '%s\t%s\n' $parts[1] $parts[3]
    end
end
complete -c transship -e
complete -c transship -f -a '(__transship_complete)'
