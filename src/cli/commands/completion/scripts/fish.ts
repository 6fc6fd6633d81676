import { shellText } from './shell-text.ts';

/** The completions of fish 3 and later. */
export const fishScript = shellText`# shannon-dash: completions for fish. Made by: shannon-dash completion fish

function __shannon_dash_words -d 'The words before the cursor, and the one that it is in'
    set -l before (commandline -xpc 2>/dev/null)
    test (count $before) -gt 0; or set before (commandline -opc)
    printf '%s\n' $before
    set -l word (commandline -ct)
    # Without its quotes, as far as one is open.
    for end in '' "'" '"'
        set -l plain (string unescape -- "$word$end" 2>/dev/null)
        if test (count $plain) -gt 0
            set word "$plain"
            break
        end
    end
    printf '%s\n' "$word"
end

function __shannon_dash_complete
    set -l words (__shannon_dash_words)
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    # An alias is no program.
    command -q -- $program; or set program shannon-dash
    for line in (command $program complete -- $words[2..-1] 2>/dev/null </dev/null)
        switch $line
            case \t'files'
                __fish_complete_path $words[-1]
            case \t'folders'
                __fish_complete_directories $words[-1]
            case \t'program *'
                set -l from (math (string replace \t'program ' '' -- $line) + 1)
                set -l escaped (string escape -- $words[$from..-1])
                test -n "$words[-1]"; or set escaped[-1] ''
                complete -C "$escaped"
            case '*'
                printf '%s\n' $line
        end
    end
end

complete -c shannon-dash -f -k -a '(__shannon_dash_complete)'
`;
