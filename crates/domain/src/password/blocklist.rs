pub(super) fn is_blocked(_password: &str, _context: &[&str]) -> bool {
    false
}
