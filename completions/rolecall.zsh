#compdef rolecall
# rolecall completion for zsh. Load it with: source <(rolecall completion zsh)
# or save it as _rolecall in a folder of $fpath.
_rolecall() {
    local -a offers
    local found line word summary
    if ! found=$(_ROLECALL_COMPLETE="${(j: :)words[1,CURRENT-1]} $PREFIX" ${words[1]} 2>/dev/null)
    then
        _files
        return
    fi
    for line in ${(f)found}; do
        word=${line%%$'\t'*}
        summary=${line#*$'\t'}
        # A word without a summary gets no colon, or zsh would show it with an empty one.
        offers+=("${word//:/\\:}${summary:+:$summary}")
    done
    _describe -V rolecall offers
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _rolecall "$@"
else
    compdef _rolecall rolecall
fi
