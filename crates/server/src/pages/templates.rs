//! The built-in templates.

macro_rules! files {
    ($($name:literal,)+) => {
        &[$( ($name, include_str!(concat!("../../assets/pages/", $name))), )+]
    };
}

/// Each by its name, below `assets/pages` as below `pages.folder`.
pub(super) const TEMPLATES: &[(&str, &str)] = files![
    "head.html",
    "foot.html",
    "brand.html",
    "parts.html",
    "card.html",
    "account.html",
    "console.html",
    "link.html",
    "sign-in.html",
    "consent.html",
    "device-code.html",
    "sign-out.html",
    "outcome.html",
    "form-post.html",
    "enter.html",
    "register.html",
    "setup.html",
    "forgotten.html",
    "said.html",
    "resume.html",
    "leave.html",
    "left.html",
    "trouble.html",
    "account/profile.html",
    "account/password.html",
    "account/devices.html",
    "account/apps.html",
    "account/activity.html",
    "console/chart.html",
    "console/overview.html",
];
