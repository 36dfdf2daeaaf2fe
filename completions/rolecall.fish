# rolecall completion for fish. Save it as ~/.config/fish/completions/rolecall.fish
function __rolecall_offers
    set -l line (commandline --current-process --cut-at-cursor)
    set -l offers (env _ROLECALL_COMPLETE="$line" rolecall 2>/dev/null)
    if test $status -ne 0
        __fish_complete_path (commandline --current-token --cut-at-cursor)
    else if test (count $offers) -gt 0
        printf '%s\n' $offers
    end
end
complete --command rolecall --no-files --keep-order --arguments '(__rolecall_offers)'
