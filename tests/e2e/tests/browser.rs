//! Shoppers in a real browser: from the shop over our pages to the bank and back, whatever happens
//! on the way. All walks share one sandbox and one Chromium.
#![allow(clippy::indexing_slicing)]

#[path = "browser/chromium.rs"]
mod chromium;
#[path = "browser/pictures.rs"]
mod pictures;
#[path = "browser/stage.rs"]
mod stage;
#[path = "browser/tab.rs"]
mod tab;
#[path = "browser/walks/mod.rs"]
mod walks;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use self::stage::Stage;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // One walk after the other: a tab in the background is slowed down by the browser.
    arguments.test_threads = Some(1);
    let Ok(runtime) = Runtime::new().map(Arc::new) else {
        return ExitCode::FAILURE;
    };
    let stage: Arc<OnceCell<Stage>> = Arc::default();
    macro_rules! trials {
        ($($module:ident :: $walk:ident),* $(,)?) => {
            vec![$({
                let (runtime, stage) = (Arc::clone(&runtime), Arc::clone(&stage));
                Trial::ignorable_test(stringify!($walk), move || {
                    chromium::with(|program| runtime.block_on(async {
                        let stage = stage.get_or_try_init(|| Stage::start(program)).await?;
                        walks::$module::$walk(stage).await
                    }))
                })
            }),*]
        };
    }
    let tests = trials![
        usual::a_cup_of_tea_is_bought_by_clicking,
        usual::a_declined_payment_is_not_shipped,
        usual::who_walks_away_can_come_back_and_pay,
        usual::two_tabs_pay_once,
        usual::above_500_euros_there_is_no_code_for_the_app,
        usual::the_shops_pages_may_ask_how_it_stands,
        waiting::a_posted_form_leads_over_two_origins_to_the_bank,
        waiting::without_scripts_pages_and_buttons_lead_to_the_bank,
        waiting::the_waiting_page_goes_on_by_itself,
        waiting::a_late_result_is_being_checked_until_it_comes,
        data::a_missing_name_is_asked_for_until_it_is_right,
        data::a_name_that_got_lost_is_asked_for_again,
        payment_page::payment_page_is_paid_by_clicking,
        payment_page::payment_page_is_declined,
        outcomes::money_that_is_confirmed_is_paid,
        outcomes::money_that_is_not_confirmed_is_declined,
        outcomes::a_refund_that_is_taken_back_is_money_again,
        outcomes::money_for_an_expired_checkout_is_late,
    ];
    let conclusion = libtest_mimic::run(&arguments, tests);
    if let Some(stage) = Arc::into_inner(stage).and_then(OnceCell::into_inner) {
        runtime.block_on(stage.stop());
    }
    conclusion.exit_code()
}
