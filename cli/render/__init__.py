"""What a person sees: live lines, plain lines, tables; and the JSON that programs read."""
